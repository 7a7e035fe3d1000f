package supervisor_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// Whatever way an actor fails in its Receive, its parent hears of one Failure with everything in it, and restarts it once.
func TestEveryWayToFail(t *testing.T) {
	boom := errors.New("boom")
	own := supervisor.NewFailure(boom, ask{})
	for _, c := range []struct {
		name     string
		fail     act
		value    string // of the Failure
		is       error
		stack    string // the function that it begins at, but for its own functions
		reported bool
	}{
		{"a string", func(actor.Context) { panics() }, "boom", nil, "supervisor_test.panics", true},
		{"an error", func(actor.Context) { panic(boom) }, "boom", boom, "TestEveryWayToFail", true},
		{"nil", func(actor.Context) { panic(nil) }, new(runtime.PanicNilError).Error(), nil, "TestEveryWayToFail", true},
		{"a runtime.Error", func(actor.Context) { writeToNilMap(nil) }, "assignment to entry in nil map", nil, "supervisor_test.writeToNilMap", true},
		{"runtime.Goexit", func(actor.Context) { exits() }, supervisor.ErrGoexit.Error(), supervisor.ErrGoexit, "supervisor_test.exits", true},
		{"a panic while panicking", func(actor.Context) {
			defer func() { panic(fmt.Errorf("after %v: %w", recover(), boom)) }()
			panics()
		}, "after boom: boom", boom, "TestEveryWayToFail", true},
		{"runtime.Goexit while panicking", func(actor.Context) { defer exits(); panics() }, supervisor.ErrGoexit.Error(), supervisor.ErrGoexit, "supervisor_test.exits", true},
		{"a Failure of its own", func(actor.Context) { panic(own) }, "boom", boom, "TestEveryWayToFail", true},
		{"Fail", func(ctx actor.Context) { supervisor.Fail(ctx, boom) }, "boom", boom, "TestEveryWayToFail", true},
		{"Fail with a Failure", func(ctx actor.Context) { supervisor.Fail(ctx, own) }, "boom", boom, "TestEveryWayToFail", true},
		{"EscalateFailure", func(ctx actor.Context) { ctx.(actor.Supervisor).EscalateFailure(boom, ctx.Message()) }, "boom", boom, "", false},
	} {
		for _, form := range []string{"wrapper", "middleware"} {
			t.Run(c.name+" "+form, func(t *testing.T) {
				system, r := newSystem(), new(reports)
				parent, child, events := underStrategy(t, system, form, r)
				reply := make(chan int, 1)
				system.Root.Request(child, c.fail)
				system.Root.Send(child, ask{reply})
				if n := receive(t, reply, "an answer"); n != 2 {
					t.Errorf("instance %d answered", n)
				}
				end(t, system, parent)
				list := failures(events())
				if len(list) != 1 {
					t.Fatalf("the parent heard of %d failures", len(list))
				}
				f := list[0]
				if text := fmt.Sprint(f.Value); text != c.value {
					t.Errorf("value %q, want %q", text, c.value)
				}
				if c.is != nil && !errors.Is(f, c.is) {
					t.Errorf("%v is not %v", f, c.is)
				}
				if want := map[bool]string{false: "supervisor_test.act", true: "supervisor_test.ask"}[f == own]; f.Message != want || len(f.Incident) != 12 {
					t.Errorf("message %q, incident %q", f.Message, f.Incident)
				}
				if f.Phase != supervisor.PhaseReceive || f.Goexit != errors.Is(c.is, supervisor.ErrGoexit) {
					t.Errorf("%+v", f)
				}
				first, _, _ := strings.Cut(strings.TrimPrefix(f.Stack(), "github.com/understudy-go/understudy/supervisor_test."), "\n")
				first, _, _ = strings.Cut(first, ".func")
				if first != strings.TrimPrefix(c.stack, "supervisor_test.") {
					t.Errorf("the stack begins at %q, want %q:\n%s", first, c.stack, f.Stack())
				}
				if reported := r.all(); c.reported && (len(reported) != 1 || reported[0] != f) || !c.reported && len(reported) != 0 {
					t.Errorf("reported: %v", reported)
				}
			})
		}
	}
}
