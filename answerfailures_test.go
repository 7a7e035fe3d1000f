package understudy_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
)

// An actor that crashes on a request says so at once, with the incident that its supervisor hears of, and answers the next one.
func TestAnswerFailures(t *testing.T) {
	adder := func(ctx actor.Context) {
		if m, ok := ctx.Message().(*messages.AddRequest); ok && m.A < 0 {
			panic("it cannot do that")
		} else if ok && m.B < 0 {
			runtime.Goexit()
		}
		addUp(ctx)
	}
	answers := understudy.AnswerFailures()
	for name, c := range map[string]struct {
		options []actor.PropsOption
		goexit  bool // without a guard the library's mailbox would stand still
	}{
		"bare":           {[]actor.PropsOption{answers}, false},
		"guard outside":  {[]actor.PropsOption{supervisor.WithGuard(nil, nil), answers}, true},
		"guard inside":   {[]actor.PropsOption{answers, supervisor.WithGuard(nil, nil)}, true},
		"from a sibling": {[]actor.PropsOption{supervisor.WithGuard(nil, nil), answers, actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc { return next })}, true},
	} {
		t.Run(name, func(t *testing.T) {
			system, hub := hostSystem(), supervisor.NewHub()
			failures := make(chan *supervisor.Failure, 10)
			t.Cleanup(hub.Subscribe(0, func(e supervisor.Event) {
				if e.Failure != nil && e.Kind == supervisor.Failed {
					failures <- e.Failure
				}
			}))
			children := make(chan *actor.PID, 1)
			parent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Started); ok {
					children <- ctx.Spawn(actor.PropsFromFunc(adder, c.options...))
				}
			}, supervisor.WithStrategy(&supervisor.Strategy{Budget: supervisor.Budget{Intensity: -1}, Events: hub})))
			h := spawn(t, system.Root, "server", understudy.Config{Service: asking(<-children), Deadline: patience})
			t.Cleanup(func() {
				h.stop()
				_ = system.Root.StopFuture(parent).Wait()
			})
			requests := []*messages.ClientMessage{addRequest(-1, 0)}
			if c.goexit {
				requests = append(requests, addRequest(0, -1))
			}
			p := h.dial()
			for _, r := range requests {
				p.send(append(p.frame(r), p.frame(addRequest(2, 40))...)...)
				m, err := p.next()
				if err != nil {
					t.Fatal(err)
				}
				e := m.GetError()
				if messages.Code(e.GetCode()) != messages.Internal || strings.Contains(e.GetMessage(), "cannot do that") {
					t.Errorf("got %v", m)
				}
				p.want(addReply(42))
				select {
				case f := <-failures:
					if f.Incident != e.GetIncidentId() || f.Goexit != (r.GetAddRequest().B < 0) {
						t.Errorf("the supervisor hears of %v, and the client of incident %s", f, e.GetIncidentId())
					}
					if !f.Goexit && !strings.Contains(f.Stack(), "TestAnswerFailures") {
						t.Errorf("the stack does not show who panicked:\n%s", f.Stack())
					}
				case <-time.After(patience):
					t.Fatal("the supervisor hears of no failure")
				}
			}
		})
	}
}
