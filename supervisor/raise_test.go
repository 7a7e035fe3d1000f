package supervisor_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// act is handled by calling it.
type act func(ctx actor.Context)

func writeToNilMap(m map[string]int) { m["key"]++ }

// actors in the three forms of the guard, each with ask and act.
func acting(form string, r *reports) *actor.Props {
	instances := 0
	produce := func() actor.Actor {
		instances++
		number := instances
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case act:
				m(ctx)
			case ask:
				m.reply <- number
			case supervisor.Raise:
				panic("it received a Raise")
			}
		})
	}
	switch form {
	case "wrapper":
		return actor.PropsFromProducer(func() actor.Actor { return supervisor.Guard(produce(), r.add) }, actor.WithDispatcher(supervisor.NewDispatcher(0, nil)))
	case "middleware":
		return actor.PropsFromProducer(produce, supervisor.WithGuard(r.add, nil))
	}
	return actor.PropsFromProducer(produce)
}

// underStrategy starts an acting child under a Strategy that always restarts.
func underStrategy(t *testing.T, system *actor.ActorSystem, form string, r *reports) (parent, child *actor.PID, events func() []supervisor.Event) {
	s := restartAlways()
	s.Events = supervisor.NewHub()
	pids := make(chan []*actor.PID, 1)
	parent = system.Root.Spawn(parentOf(pids, nil, []actor.PropsOption{supervisor.WithStrategy(s)}, acting(form, r)))
	return parent, receive(t, pids, "the child")[0], collect(s.Events)
}

// failures are those of Failed events.
func failures(events []supervisor.Event) (list []*supervisor.Failure) {
	for _, e := range events {
		if e.Kind == supervisor.Failed || e.Kind == supervisor.Exited {
			list = append(list, e.Failure)
		}
	}
	return list
}

// forms runs a test for an actor under each form of the guard, the one that a supervisor adds to its children included.
func forms(t *testing.T, test func(t *testing.T, system *actor.ActorSystem, child *actor.PID, heard func() []*supervisor.Failure)) {
	for _, form := range []string{"wrapper", "middleware", "spec"} {
		t.Run(form, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system, r := newSystem(), new(reports)
				var parent, child *actor.PID
				var events func() []supervisor.Event
				if form == "spec" {
					hub := supervisor.NewHub()
					events = collect(hub)
					var err error
					parent, err = supervisor.Spawn(system.Root, supervisor.Spec{Name: "root", Events: hub, Budget: supervisor.Budget{Intensity: -1},
						Children: []supervisor.ChildSpec{{Name: "child", Props: acting(form, r), Decide: func(*supervisor.Failure) supervisor.Directive { return supervisor.Restart }}}})
					if err != nil {
						t.Fatal(err)
					}
					child = system.NewLocalPID("root/child")
				} else {
					parent, child, events = underStrategy(t, system, form, r)
				}
				synctest.Wait()
				test(t, system, child, func() []*supervisor.Failure {
					synctest.Wait()
					if err := supervisor.StopAndAwait(t.Context(), system, parent); err != nil {
						t.Error(err)
					}
					list := failures(events())
					if form != "spec" && len(r.all()) < len(list) {
						t.Errorf("%d of %d were reported", len(r.all()), len(list))
					}
					return list
				})
				settle()
			})
		})
	}
}

// instance asks the actor for the number of its instance.
func instance(t *testing.T, system *actor.ActorSystem, pid *actor.PID, want int) {
	t.Helper()
	reply := make(chan int, 1)
	system.Root.Send(pid, ask{reply})
	if n := receive(t, reply, "an answer"); n != want {
		t.Errorf("instance %d answered, want %d", n, want)
	}
}

func TestRaise(t *testing.T) {
	forms(t, func(t *testing.T, system *actor.ActorSystem, child *actor.PID, heard func() []*supervisor.Failure) {
		boom, own := errors.New("boom"), supervisor.NewFailure("own", work{})
		system.Root.Send(child, supervisor.Raise{Value: boom})
		instance(t, system, child, 2)
		system.Root.Request(child, supervisor.Raise{Value: own})
		instance(t, system, child, 3)
		list := heard()
		if len(list) != 2 || list[0].Value != any(boom) || list[0].Message != "supervisor.Raise" || list[0].Incident == "" || list[1] != own {
			t.Errorf("%v", list)
		}
	})
}

func TestRaiseAtTheEnd(t *testing.T) {
	for _, form := range []string{"wrapper", "middleware"} {
		t.Run(form, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system, r := newSystem(), new(reports)
				parent, pid, events := underStrategy(t, system, form, r)
				hold := make(chan struct{})
				system.Root.Send(pid, act(func(ctx actor.Context) {
					ctx.Send(ctx.Spawn(actor.PropsFromFunc(sleeper)), block{until: hold})
				}))
				synctest.Wait()
				system.Root.Stop(pid) // it waits for its child, and still receives
				synctest.Wait()
				system.Root.Send(pid, supervisor.Raise{Value: "late"})
				synctest.Wait()
				close(hold)
				if err := supervisor.Await(t.Context(), system, pid); err != nil {
					t.Error(err)
				}
				if list := r.all(); len(list) != 1 || list[0].Value != "late" {
					t.Errorf("reported: %v", list)
				}
				end(t, system, parent)
				if list := failures(events()); len(list) != 0 {
					t.Errorf("the parent heard of %v", list)
				}
				settle()
			})
		})
	}
}

func TestProtect(t *testing.T) {
	forms(t, func(t *testing.T, system *actor.ActorSystem, child *actor.PID, heard func() []*supervisor.Failure) {
		boom := errors.New("boom")
		own := supervisor.NewFailure("own", work{})
		instances := 1
		for _, fn := range []func() error{
			func() error { panics(); return nil },
			func() error { exits(); return nil },
			func() error { return boom },
			func() error { return own },
			func() error { return nil },
		} {
			system.Root.Send(child, act(func(ctx actor.Context) { time.AfterFunc(time.Second, supervisor.Protect(ctx, fn)) }))
			synctest.Wait()
			instance(t, system, child, instances)
			time.Sleep(time.Second)
			synctest.Wait()
			instances = min(instances+1, 5)
			instance(t, system, child, instances)
		}
		// Three timers of one incarnation: the first makes it fail, and the others mean nobody.
		system.Root.Send(child, act(func(ctx actor.Context) {
			for i := range 3 {
				time.AfterFunc(time.Duration(i)*time.Second, supervisor.Protect(ctx, func() error { return boom }))
			}
		}))
		time.Sleep(time.Minute)
		instance(t, system, child, 6)
		var gone func()
		system.Root.Send(child, act(func(ctx actor.Context) { gone = supervisor.Protect(ctx, func() error { return boom }) }))
		list := heard()
		gone() // nobody is there any more
		if len(list) != 5 || list[0].Value != "boom" || !list[1].Goexit || list[2].Value != any(boom) || list[3] != own || list[4].Value != any(boom) {
			t.Fatalf("%v", list)
		}
		for i, first := range []string{"supervisor_test.panics", "supervisor_test.exits"} {
			f := list[i]
			if f.Message != "supervisor_test.act" || !strings.HasPrefix(f.Stack(), "github.com/understudy-go/understudy/"+first+"\n") || strings.Contains(f.Stack(), "guardedCall") {
				t.Errorf("%v\n%s", f, f.Stack())
			}
		}
		if list[2].Message != "supervisor_test.act" || list[2].Incident == "" {
			t.Errorf("%+v", list[2])
		}
	})
}

func TestProtectNeedsAGuard(t *testing.T) {
	system := newSystem()
	recovered := make(chan any, 1)
	pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			defer func() { recovered <- recover() }()
			supervisor.Protect(ctx, nil)
		}
	}))
	if r := receive(t, recovered, "the panic"); r != "supervisor: Protect needs a guarded actor" {
		t.Errorf("recovered %v", r)
	}
	end(t, system, pid)
}

// A producer that panics when it makes the next instance fails outside of every Receive: the parent hears of it, though without a stack.
func TestProducerPanics(t *testing.T) {
	system := newSystem()
	instances := 0
	child := actor.PropsFromProducer(func() actor.Actor {
		if instances++; instances == 2 {
			panics()
		}
		number := instances
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case ask:
				m.reply <- number
			case work:
				panics()
			}
		})
	}, supervisor.WithGuard(nil, nil))
	s := restartAlways()
	s.Events = supervisor.NewHub()
	events := collect(s.Events)
	pids := make(chan []*actor.PID, 1)
	parent := system.Root.Spawn(parentOf(pids, nil, []actor.PropsOption{supervisor.WithStrategy(s)}, child))
	pid := receive(t, pids, "the child")[0]
	system.Root.Send(pid, work{})
	instance(t, system, pid, 3)
	end(t, system, parent)
	list := failures(events())
	if len(list) != 2 || list[1].Value != "boom" || list[1].Phase != supervisor.PhaseRestarting || list[1].Incident == "" {
		t.Errorf("%v", list)
	}
}

// A timer of an actor that fails when its time has come: the actor's parent hears of it, where a panic would have ended the process.
func ExampleProtect() {
	system := newSystem()
	done := make(chan struct{})
	worker := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(string); ok {
			time.AfterFunc(time.Millisecond, supervisor.Protect(ctx, func() error {
				return errors.New("the lease could not be renewed")
			}))
		}
	}, supervisor.WithGuard(nil, nil))
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			ctx.Send(ctx.Spawn(worker), "a lease")
		}
	}, supervisor.WithStrategy(&supervisor.Strategy{Decide: func(_ *actor.PID, f *supervisor.Failure) supervisor.Directive {
		fmt.Println(f.Value, "— while it handled a", f.Message)
		close(done)
		return supervisor.Stop
	}})))
	<-done
	runtime.Gosched()
	// Output: the lease could not be renewed — while it handled a string
}
