package supervisor_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

func indexOutOfRange(list []int, i int) int { return list[i] }

func failureOf(fn func()) (f *supervisor.Failure) {
	defer func() { f = supervisor.NewFailure(recover(), &actor.MessageEnvelope{Message: &actor.Started{}}) }()
	fn()
	return nil
}

func TestFailureStackStartsAtThePanic(t *testing.T) {
	for name, fn := range map[string]func(){
		"explicit":       func() { panic("boom") },
		"by the runtime": func() { indexOutOfRange(nil, 3) },
		"in a defer": func() {
			defer func() { panic("second") }()
			panic("first")
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := failureOf(fn)
			first, _, _ := strings.Cut(f.Stack(), "\n")
			if !strings.Contains(first, "supervisor_test.TestFailureStackStartsAtThePanic") && !strings.Contains(first, "supervisor_test.indexOutOfRange") {
				t.Errorf("the stack starts at %q:\n%s", first, f.Stack())
			}
			if strings.Contains(f.Stack(), "runtime.gopanic\n\t") && name != "in a defer" {
				t.Errorf("the stack shows the runtime's own frames:\n%s", f.Stack())
			}
			if f.Message != "*actor.Started" || f.Phase != supervisor.PhaseStarted {
				t.Errorf("message %q in phase %q", f.Message, f.Phase)
			}
		})
	}
}

func TestFailureUnwraps(t *testing.T) {
	f := supervisor.NewFailure(fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), nil)
	if !errors.Is(f, io.ErrUnexpectedEOF) {
		t.Error("a failure does not unwrap to its error")
	}
	if f := supervisor.NewFailure("text", nil); f.Unwrap() != nil {
		t.Error("a failure of a text unwraps to something")
	}
	if text := f.Error(); !strings.Contains(text, "unexpected EOF") || !strings.Contains(text, f.Incident) {
		t.Errorf("Error() = %q", text)
	}
}

func TestIncidentsAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for range 100_000 {
		name := supervisor.NewIncident()
		if len(name) != 12 || seen[name] {
			t.Fatalf("incident %q: not 12 characters, or seen before", name)
		}
		seen[name] = true
	}
	if n := testing.AllocsPerRun(100, func() { supervisor.NewIncident() }); n > 1 {
		t.Errorf("an incident costs %v allocations", n)
	}
}

func TestClassify(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		value     any
		class     supervisor.Class
		directive supervisor.Directive
	}{
		{boom, supervisor.ClassBug, supervisor.Restart},
		{"a panic", supervisor.ClassBug, supervisor.Restart},
		{nil, supervisor.ClassBug, supervisor.Restart},
		{supervisor.Temporary(boom), supervisor.ClassTemporary, supervisor.RestartLater},
		{fmt.Errorf("x: %w", supervisor.Peer(boom)), supervisor.ClassPeer, supervisor.Stop},
		{supervisor.NewFailure(supervisor.Critical(boom), nil), supervisor.ClassCritical, supervisor.Escalate},
		{supervisor.Critical(supervisor.Temporary(boom)), supervisor.ClassCritical, supervisor.Escalate},
	} {
		if got := supervisor.Classify(c.value); got != c.class {
			t.Errorf("Classify(%v) = %v, want %v", c.value, got, c.class)
		}
		if got := supervisor.DirectiveFor(c.class); got != c.directive {
			t.Errorf("DirectiveFor(%v) = %v, want %v", c.class, got, c.directive)
		}
	}
	if supervisor.Temporary(nil) != nil || !errors.Is(supervisor.Peer(boom), boom) {
		t.Error("the marks do not keep nil, or do not unwrap")
	}
}
