package supervisor_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

type ask struct{ reply chan int } // answered with the number of the instance
type work struct{}                // may fail

// brittle is an actor that fails once in each of the phases it is told to, in the way it is told to.
type brittle struct {
	number int
	fail   func(phase string)
}

func (b *brittle) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		b.fail(supervisor.PhaseStarted)
	case *actor.Stopping:
		b.fail(supervisor.PhaseStopping)
	case *actor.Stopped:
		b.fail(supervisor.PhaseStopped)
	case *actor.Restarting:
		b.fail(supervisor.PhaseRestarting)
	case work:
		b.fail(supervisor.PhaseReceive)
	case ask:
		m.reply <- b.number
	}
}

func panics() { panic("boom") }
func exits()  { runtime.Goexit() }

// guarded makes props of a brittle actor with either form of the guard. It runs on one mailbox, so the closures need no lock.
func guarded(form string, r *reports, tracker *supervisor.Tracker, failWith func(), phases ...string) *actor.Props {
	instances := 0
	left := make(map[string]bool)
	for _, phase := range phases {
		left[phase] = true
	}
	produce := func() actor.Actor {
		instances++
		return &brittle{number: instances, fail: func(phase string) {
			if left[phase] {
				delete(left, phase)
				failWith()
			}
		}}
	}
	d := supervisor.NewDispatcher(0, tracker)
	if form == "middleware" {
		return actor.PropsFromProducer(produce, supervisor.WithGuard(r.add, d))
	}
	return actor.PropsFromProducer(func() actor.Actor { return supervisor.Guard(produce(), r.add) }, actor.WithDispatcher(d))
}

func restartAlways() *supervisor.Strategy {
	return &supervisor.Strategy{Budget: supervisor.Budget{Intensity: -1}}
}

func TestGuardInEveryPhase(t *testing.T) {
	for _, form := range []string{"wrapper", "middleware"} {
		for how, failWith := range map[string]func(){"panics": panics, "exits": exits} {
			for _, phases := range [][]string{
				{supervisor.PhaseStarted},
				{supervisor.PhaseReceive},
				{supervisor.PhaseReceive, supervisor.PhaseRestarting},
				{supervisor.PhaseStopping},
				{supervisor.PhaseStopped},
				{supervisor.PhaseStarted, supervisor.PhaseReceive, supervisor.PhaseRestarting, supervisor.PhaseStopping, supervisor.PhaseStopped},
			} {
				t.Run(fmt.Sprint(form, " ", how, " in ", phases), func(t *testing.T) {
					system := newSystem()
					var r reports
					var tracker supervisor.Tracker
					strategy, hub := restartAlways(), supervisor.NewHub()
					strategy.Events = hub
					events := collect(hub)
					pids, terminated := make(chan []*actor.PID, 1), make(chan string, 10)
					parent := system.Root.Spawn(parentOf(pids, terminated, []actor.PropsOption{supervisor.WithStrategy(strategy)},
						guarded(form, &r, &tracker, failWith, phases...)))
					child := receive(t, pids, "the child")[0]

					reply := make(chan int, 10)
					system.Root.Send(child, work{})
					system.Root.Send(child, ask{reply})
					restarts := 0
					for _, phase := range phases {
						if phase == supervisor.PhaseStarted || phase == supervisor.PhaseReceive {
							restarts++
						}
					}
					if n := receive(t, reply, "an answer after the failure"); n != 1+restarts {
						t.Errorf("instance %d answered, want %d", n, 1+restarts)
					}
					system.Root.Stop(child)
					receive(t, terminated, "Terminated")

					seen := watch(system, parent)
					system.Root.Stop(parent)
					receive(t, seen, "the parent's end")
					if err := tracker.Wait(t.Context()); err != nil {
						t.Error(err)
					}
					nothing(t, terminated, "a second Terminated")
					if heard := kinds(events()); len(heard) != 2*restarts {
						t.Errorf("the strategy heard of %v, want %d failures", heard, restarts)
					}

					var got []string
					for _, f := range r.all() {
						got = append(got, f.Phase)
						if f.Goexit != (how == "exits") || f.Incident == "" {
							t.Errorf("%+v", f)
						}
						if first, _, _ := strings.Cut(f.Stack(), "\n"); !strings.HasSuffix(first, "supervisor_test."+how) || strings.Contains(f.Stack(), "(*guard") {
							t.Errorf("stack:\n%s", f.Stack())
						}
					}
					if len(got) != len(phases) {
						t.Errorf("reported in %v, want %v", got, phases)
					}
				})
			}
		}
	}
}

// A parent that fails while it handles the last Terminated of its stop must still end.
func TestGuardWhileStopping(t *testing.T) {
	for how, failWith := range map[string]func(){"panics": panics, "exits": exits} {
		t.Run(how, func(t *testing.T) {
			system := newSystem()
			started := make(chan struct{}, 1)
			leaf := actor.PropsFromFunc(func(actor.Context) {})
			var r reports
			parent := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
				return supervisor.Guard(actor.ReceiveFunc(func(ctx actor.Context) {
					switch ctx.Message().(type) {
					case *actor.Started:
						ctx.Spawn(leaf)
						started <- struct{}{}
					case *actor.Terminated:
						failWith()
					}
				}), r.add)
			}, actor.WithDispatcher(supervisor.NewDispatcher(0, nil))))
			receive(t, started, "the start")
			seen := watch(system, parent)
			system.Root.Stop(parent)
			receive(t, seen, "the parent's end")
			if len(r.all()) != 1 {
				t.Errorf("%d failures reported", len(r.all()))
			}
		})
	}
}

// A Restart that comes after the Stop resurrects an unguarded actor.
func TestGuardUndoesResurrection(t *testing.T) {
	for _, form := range []string{"wrapper", "middleware"} {
		t.Run(form, func(t *testing.T) {
			system := newSystem()
			var tracker supervisor.Tracker
			log := make(chan string, 100)
			inner := actor.ReceiveFunc(func(ctx actor.Context) { log <- fmt.Sprintf("%T", ctx.Message()) })
			opts := []actor.PropsOption{actor.WithDispatcher(supervisor.NewDispatcher(0, &tracker))}
			produce := func() actor.Actor { return supervisor.Guard(inner, nil) }
			if form == "middleware" {
				opts = []actor.PropsOption{supervisor.WithGuard(nil, supervisor.NewDispatcher(0, &tracker))}
				produce = func() actor.Actor { return inner }
			}
			pid := system.Root.Spawn(actor.PropsFromProducer(produce, opts...))
			process, _ := system.ProcessRegistry.Get(pid)
			process.SendSystemMessage(pid, &actor.Stop{})
			process.SendSystemMessage(pid, &actor.Restart{})
			if err := tracker.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			close(log)
			var got []string
			for line := range log {
				got = append(got, line)
			}
			if want := "[*actor.Started *actor.Stopping *actor.Stopped]"; fmt.Sprint(got) != want {
				t.Errorf("it received %v, want %v", got, want)
			}
		})
	}
}

// The same while the actor is still stopping, because it waits for its children.
func TestGuardKeepsStopping(t *testing.T) {
	system := newSystem()
	release, started := make(chan struct{}), make(chan struct{}, 10)
	slow := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Stopping); ok {
			<-release
		}
	})
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return supervisor.Guard(actor.ReceiveFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); ok {
				ctx.Spawn(slow)
				started <- struct{}{}
			}
		}), nil)
	}))
	receive(t, started, "the start")
	seen := watch(system, pid)
	process, _ := system.ProcessRegistry.Get(pid)
	process.SendSystemMessage(pid, &actor.Stop{})
	process.SendSystemMessage(pid, &actor.Restart{})
	close(release)
	receive(t, seen, "its end")
	if _, alive := system.ProcessRegistry.Get(pid); alive {
		t.Error("it is alive again")
	}
}

type strict struct {
	child *actor.Props
	asked chan any
}

func (s *strict) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(*actor.Started); ok {
		ctx.Spawn(s.child)
	}
}

func (s *strict) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	s.asked <- reason
	supervisor.StopChildren(child)
}

func TestGuardForwardsStrategy(t *testing.T) {
	own := supervisor.NewFailure("own", nil)
	inner := &strict{asked: make(chan any, 1), child: actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			panic(own)
		}
	}, supervisor.WithGuard(func(*actor.PID, *supervisor.Failure) { panic("a report that panics") }, nil))}
	g := supervisor.Guard(inner, nil)
	if _, ok := supervisor.Guard(actor.ReceiveFunc(func(actor.Context) {}), nil).(actor.SupervisorStrategy); ok {
		t.Error("the guard of an actor without a strategy has one")
	}
	if supervisor.Unguard(g) != actor.Actor(inner) {
		t.Error("Unguard")
	}
	system := newSystem()
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return g }))
	if reason := receive(t, inner.asked, "HandleFailure"); reason != any(own) {
		t.Errorf("reason %v, want the actor's own failure", reason)
	}
	end(t, system, pid)
}

func BenchmarkGuard(b *testing.B) {
	for _, form := range []string{"none", "wrapper", "middleware"} {
		b.Run(form, func(b *testing.B) {
			system := newSystem()
			done := make(chan struct{})
			inner := actor.ReceiveFunc(func(ctx actor.Context) {
				if c, ok := ctx.Message().(chan struct{}); ok {
					close(c)
				}
			})
			props := actor.PropsFromProducer(func() actor.Actor { return inner })
			switch form {
			case "wrapper":
				props = actor.PropsFromProducer(func() actor.Actor { return supervisor.Guard(inner, nil) })
			case "middleware":
				props = actor.PropsFromProducer(func() actor.Actor { return inner }, supervisor.WithGuard(nil, nil))
			}
			pid := system.Root.Spawn(props)
			var message any = work{}
			b.ReportAllocs()
			for b.Loop() {
				system.Root.Send(pid, message)
			}
			system.Root.Send(pid, done)
			<-done
			system.Root.Stop(pid)
		})
	}
}
