package supervisor

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// Random trees with random ends, failing starts, calls and waits: the core does what the model of OTP's rules does, which was judged by
// recordings of OTP itself. UNDERSTUDY_PROPERTY says how many of each kind; the first seeds are always the same.
func TestCoreAgreesWithOTP(t *testing.T) {
	seeds := 5000
	if text := os.Getenv("UNDERSTUDY_PROPERTY"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		seeds = n
	}
	for _, mix := range []otp.Mix{{}, {Depth: 2}, {Depth: 3, Waits: true}} {
		t.Run(fmt.Sprintf("%+v", mix), func(t *testing.T) {
			for seed := range uint64(seeds) {
				c := otp.Case{Name: fmt.Sprint("seed ", seed)}
				c.Spec, c.Steps = mix.Random(rand.New(rand.NewPCG(seed, 17)), 4+int(seed%16))
				if err := otp.Compare(c, newCoreTree(c.Spec).do); err != nil {
					small := otp.Shrink(c, func(c otp.Case) bool { return otp.Compare(c, newCoreTree(c.Spec).do) != nil })
					t.Fatalf("seed %d: %v", seed, otp.Compare(small, newCoreTree(small.Spec).do))
				}
			}
		})
	}
}

// What a real OTP supervisor was recorded to do, the core does. Cases with races are left out: there several things are in a
// supervisor's mailbox before it looks, or come during a start, and a start takes no time here.
func TestCoreAgreesWithRecordings(t *testing.T) {
	files, err := filepath.Glob("testdata/otp/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	played, left := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := otp.Parse(string(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if slices.ContainsFunc(c.Steps, races) {
				left++
				continue
			}
			played++
			t.Run(c.Name, func(t *testing.T) { playRecorded(t, &c) })
		}
	}
	if t.Logf("%d cases played, %d with races left out", played, left); played < 700 {
		t.Error("so few")
	}
}

func races(s otp.Step) bool { return len(s) > 1 || s[0].With != nil }

func playRecorded(t *testing.T, c *otp.Case) {
	tree, model := newCoreTree(c.Spec), otp.New(c.Spec)
	for i, step := range c.Steps {
		model.Do(step) // for the order of what has none
		got := slices.Clone(tree.do(step))
		model.Sort(got)
		if !slices.Equal(got, c.Trace[i]) {
			t.Fatalf("step %d, %s\nOTP:  %v\ncore: %v", i+1, step, c.Trace[i], got)
		}
	}
}
