// Generate writes random cases for testdata/otp/record.escript to play on a real OTP supervisor.
//
//	go run ./supervisor/internal/otp/generate -seed 1 -n 100 -size 12 -depth 2 -waits -races
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"

	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

func main() {
	var x otp.Mix
	seed := flag.Uint64("seed", 1, "of the random numbers")
	n := flag.Int("n", 100, "cases")
	size := flag.Int("size", 10, "children and steps of the largest")
	flag.IntVar(&x.Depth, "depth", 0, "levels of supervisors below the root")
	flag.BoolVar(&x.Waits, "waits", false, "let time pass")
	flag.BoolVar(&x.Races, "races", false, "let things happen at once")
	flag.Parse()

	rng := rand.New(rand.NewPCG(*seed, 0))
	cases := make([]otp.Case, *n)
	for i := range cases {
		spec, steps := x.Random(rng, 1+rng.IntN(*size))
		cases[i] = otp.Case{Name: fmt.Sprintf("random %d/%d", *seed, i+1), Spec: spec, Steps: steps}
	}
	fmt.Printf("# Random cases: generate -seed %d -n %d -size %d ", *seed, *n, *size)
	fmt.Printf("-depth %d -waits=%t -races=%t\n\n", x.Depth, x.Waits, x.Races)
	fmt.Print(otp.Format(cases))
}
