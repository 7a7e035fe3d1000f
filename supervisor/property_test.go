package supervisor_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// mixes are what random cases are made of. Time, levels and races each on their own and together.
var mixes = []otp.Mix{{}, {Depth: 2}, {Depth: 1, Waits: true}, {Races: true}, {Depth: 2, Waits: true, Races: true}}

// TestProperty plays random trees and what happens to them on the real supervisor, which must do what the model of OTP does: every event, in the
// same order, step for step. UNDERSTUDY_PROPERTY is the number of cases, UNDERSTUDY_PROPERTY_SEED the first of their seeds.
func TestProperty(t *testing.T) {
	cases, first := number(t, "UNDERSTUDY_PROPERTY", 500), number(t, "UNDERSTUDY_PROPERTY_SEED", 1)
	for seed := first; seed < first+cases; seed++ {
		c := randomCase(uint64(seed))
		err := playCase(t, c)
		if err == nil {
			continue
		}
		small := otp.Shrink(c, func(c otp.Case) bool { return playCase(t, asPlayed(c)) != nil })
		t.Errorf("seed %d: %v\n\nor, smaller: %v", seed, err, playCase(t, asPlayed(small)))
		if t.Failed() {
			return
		}
	}
}

func number(t *testing.T, variable string, otherwise int) int {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func randomCase(seed uint64) otp.Case {
	rng := rand.New(rand.NewPCG(seed, 4))
	c := otp.Case{Name: fmt.Sprint("seed ", seed)}
	c.Spec, c.Steps = mixes[seed%uint64(len(mixes))].Random(rng, 1+rng.IntN(14))
	return asPlayed(c)
}

// playCase plays a case on the model and on the real supervisor and returns the first difference.
func playCase(t *testing.T, c otp.Case) (err error) {
	synctest.Test(t, func(*testing.T) {
		p := newPlayer(c)
		err = otp.Compare(c, func(s otp.Step) []otp.Event { return p.do(c.Spec, s) })
		if !p.end() && err == nil {
			err = errors.New("the tree does not stop")
		}
	})
	return err
}

// TestRecorded plays what was recorded of a real OTP supervisor on this one. Of the cases that asPlayed has to change the model says
// what OTP would have done.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/otp/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cases, err := otp.Parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			changed := 0
			for _, c := range cases {
				played := asPlayed(c)
				if !reflect.DeepEqual(played.Steps, c.Steps) {
					changed++
				} else if !slices.EqualFunc(otp.Run(c.Spec, c.Steps), c.Trace, slices.Equal) {
					t.Fatalf("%s: the model is wrong", c.Name)
				}
				if err := playCase(t, played); err != nil {
					t.Errorf("%s: %v", c.Name, err)
				}
			}
			t.Logf("%d cases, %d of them changed", len(cases), changed)
		})
	}
}
