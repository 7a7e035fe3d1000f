package otp_test

import (
	"math/rand/v2"
	"testing"

	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// TestRandomIsRepeatable wants the same case of the same seed.
func TestRandomIsRepeatable(t *testing.T) {
	text := func(seed uint64) string {
		spec, steps := otp.Random(rand.New(rand.NewPCG(seed, 0)), 10)
		return otp.Format([]otp.Case{{Name: "random", Spec: spec, Steps: steps}})
	}
	if one, again := text(1), text(1); one != again {
		t.Error("two cases of one seed")
	}
	if text(1) == text(2) {
		t.Error("one case of two seeds")
	}
}

// TestTracesMakeSense looks at what no rule may break: who starts does not run yet, who ends does run, a supervisor ends after its children
// and starts after them.
func TestTracesMakeSense(t *testing.T) {
	eachRandom(func(c otp.Case) {
		children := map[string][]string{}
		family(otp.Root, c.Spec, children)
		running := map[string]bool{}
		for i, events := range c.Trace {
			for _, e := range events {
				if !sensible(e, running, children) {
					t.Fatalf("step %d: %s\n%s", i+1, e, otp.Format([]otp.Case{c}))
				}
			}
		}
	})
}

func sensible(e otp.Event, running map[string]bool, children map[string][]string) bool {
	was := running[e.Name]
	switch e.Kind {
	case otp.Started:
		running[e.Name] = true
		return !was
	case otp.Failed:
		return !was
	case otp.Stopped, otp.Exited:
		delete(running, e.Name)
		for _, c := range children[e.Name] {
			if running[c] {
				return false
			}
		}
		return was
	default:
		return true
	}
}

func family(name string, s *otp.Spec, children map[string][]string) {
	for _, c := range s.Children {
		children[name] = append(children[name], c.Name)
		if c.Supervisor != nil {
			family(c.Name, c.Supervisor, children)
		}
	}
}

// TestRandomIsRich wants random cases to make all kinds of things happen, rather often.
func TestRandomIsRich(t *testing.T) {
	seen := map[string]int{}
	eachRandom(func(c otp.Case) {
		for _, events := range c.Trace {
			for _, e := range events {
				seen[string(e.Kind)]++
				if e.Kind == otp.Exited && e.Name == otp.Root {
					seen["the root exits"]++
				}
				if e.Kind == otp.Replied && len(e.Reason) > 0 && e.Reason[0] != '[' {
					seen[e.Reason]++
				}
			}
		}
	})
	for _, what := range []string{
		string(otp.Started), string(otp.Failed), string(otp.Stopped), string(otp.Exited), "the root exits", otp.OK, otp.NoProc, otp.NotFound,
		otp.Running, otp.Restarting, otp.AlreadyStarted, otp.AlreadyPresent, otp.Simple, otp.StartFailed, otp.BadSpec,
	} {
		if seen[what] < 5 {
			t.Errorf("%s: %d times", what, seen[what])
		}
	}
}
