package otp_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// TestCompare finds no difference between the model and itself, however the events without an order come, and finds one that is there.
func TestCompare(t *testing.T) {
	eachRandom(func(c otp.Case) {
		m := otp.New(c.Spec)
		if err := otp.Compare(c, m.Do); err != nil {
			t.Fatal(err)
		}
	})
	cases, err := otp.Parse("-- x\nsupervisor root strategy=simple_one_for_one intensity=0 period=5\n  worker t\n" +
		"> start\n> start_child root a\n> start_child root b\n> stop")
	if err != nil {
		t.Fatal(err)
	}
	m := otp.New(cases[0].Spec)
	backward := func(s otp.Step) []otp.Event {
		events := m.Do(s)
		if len(events) == 3 { // both children, then the root
			slices.Reverse(events[:2])
		} else {
			slices.Reverse(events)
		}
		return events
	}
	if err := otp.Compare(cases[0], backward); err != nil {
		t.Error(err)
	}
	err = otp.Compare(cases[0], func(otp.Step) []otp.Event { return nil })
	if err == nil || !strings.Contains(err.Error(), "step 1, start\nmodel:    [started root]\nobserved: []") {
		t.Errorf("got %v", err)
	}
}

// TestShrink wants no more to be left of a case in which somebody crashes than shows that.
func TestShrink(t *testing.T) {
	crashes := func(c otp.Case) bool {
		return slices.ContainsFunc(otp.Run(c.Spec, c.Steps), func(events []otp.Event) bool {
			return slices.ContainsFunc(events, func(e otp.Event) bool { return e.Kind == otp.Exited && e.Reason == "crash" && e.Name != otp.Root })
		})
	}
	shrunk := 0
	for seed := range uint64(50) {
		c := otp.Case{Name: "random"}
		c.Spec, c.Steps = otp.Random(rand.New(rand.NewPCG(seed, 2)), 12)
		if !crashes(c) {
			continue
		}
		shrunk++
		small := otp.Shrink(c, crashes)
		if err := small.Validate(); err != nil || !crashes(small) {
			t.Fatalf("%v\n%s", err, otp.Format([]otp.Case{small}))
		}
		// The start, perhaps that of a dynamic child, and the crash; the child, perhaps below supervisors.
		if len(small.Steps) > 3 || len(small.Spec.Children) > 1 {
			t.Errorf("still large:\n%s", otp.Format([]otp.Case{small}))
		}
	}
	if shrunk < 25 {
		t.Errorf("only %d cases", shrunk)
	}
}
