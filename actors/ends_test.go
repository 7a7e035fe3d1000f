package actors

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// What tells an actor at rest of a child's end runs where it comes from; nothing else that is posted does.
func TestEndsInline(t *testing.T) {
	r := newRig(t, &Mailbox{EndsInline: true}, true, nil)
	where := ""
	r.postSystem(func() { where = goroutine() })
	if where != goroutine() {
		t.Errorf("the end was handled on %q, want the caller's, %q", where, goroutine())
	}
	r.rest()
	for range 100 {
		r.postSystem(func() {})
		if n := r.mailbox.urgent.Load(); n != 0 {
			t.Fatal("what was handled inline was queued as well")
		}
		r.rest()
	}
	elsewhere := make(chan string, 1)
	r.mailbox.PostUserMessage(func() { elsewhere <- goroutine() })
	if got := await(t, elsewhere, "a posted message"); got == goroutine() {
		t.Error("a posted message ran on the poster's goroutine")
	}
	r.rest()
	r.suspend()()
	r.rest()
	quiet(t, r.idle, "came to rest more often than it ran")
}

// An end never runs beside another message, and takes its turn: after the system messages that wait, before the user messages.
func TestEndsInlineGiveWay(t *testing.T) {
	r := newRig(t, &Mailbox{EndsInline: true}, true, nil)
	seen := make(chan string, 4)
	finished := false // plain: the race detector sees whether a message overlaps with the run
	r.postSystem(func() {
		r.mailbox.PostUserMessage(func() { seen <- "message" })
		for _, what := range []string{"first end", "second end"} {
			r.postSystem(func() {
				if !finished {
					t.Error("an end ran inside another")
				}
				seen <- what
			})
		}
		finished = true
	})
	for _, want := range []string{"first end", "second end", "message"} {
		if got := await(t, seen, want); got != want {
			t.Errorf("got the %s, want the %s", got, want)
		}
	}
	r.rest()
	quiet(t, r.idle, "came to rest twice")

	// A sender that has queued a system message, and is not scheduled any further for now, is not overtaken.
	m := &actor.Terminated{Who: actor.NewPID("nowhere", "nobody")}
	r.urgent.Store(m, func() { seen <- "halfway" })
	r.mailbox.mu.Lock()
	r.mailbox.system.push(m)
	r.mailbox.mu.Unlock()
	r.mailbox.urgent.Add(1)
	r.postSystem(func() { seen <- "end" })
	for _, want := range []string{"halfway", "end"} {
		if got := await(t, seen, want); got != want {
			t.Errorf("got the %s, want the %s", got, want)
		}
	}
}

// An actor that fails on a child's end fails as ever, and the goroutine that told it goes on.
func TestEndsInlineFailures(t *testing.T) {
	cause := errors.New("boom")
	for _, exit := range []bool{false, true} {
		t.Run(fmt.Sprintf("goexit %v", exit), func(t *testing.T) {
			r := newRig(t, &Mailbox{EndsInline: true}, true, nil)
			ended := make(chan bool, 1)
			go func() {
				returned := false
				defer func() { ended <- returned }()
				r.postSystem(func() {
					if exit {
						runtime.Goexit()
					}
					panic(cause)
				})
				returned = true
			}()
			if returned := await(t, ended, "the goroutine"); returned == exit {
				t.Errorf("the goroutine that told of the end went on: %v", returned)
			}
			want := cause
			if exit {
				want = supervisor.ErrGoexit
			}
			reason := await(t, r.failed, "the failure")
			if err, ok := reason.(error); !ok || !errors.Is(err, want) {
				t.Errorf("failed with %v, want %v", reason, want)
			}
			await(t, r.started, "the restart")
			r.rest()
			r.run(func() {})
		})
	}
}
