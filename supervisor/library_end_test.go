package supervisor_test

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// "Poison(parent) drains the subtree": the children get a hard Stop.
func TestLibraryPoison(t *testing.T) {
	run := func(t *testing.T, system *actor.ActorSystem, opts ...actor.PropsOption) (handled int, lost int64) {
		dead, work := deadLetters(system), newJournal()
		parent, children := family(t, system, newJournal(), noting(work), []string{"child"}, opts...)
		for range 100 {
			system.Root.Send(children[0], time.Second)
		}
		synctest.Wait()
		if err := supervisor.PoisonAndAwait(t.Context(), system, parent); err != nil {
			t.Error(err)
		}
		return work.count("slept"), dead.Load()
	}
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, _ *journal) {
		if handled, lost := run(t, system); handled != 1 || lost != 0 {
			t.Errorf("%d were handled, %d became dead letters; want one and none", handled, lost)
		}
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, _ *journal) {
		if handled, _ := run(t, system, supervisor.WithCascade(supervisor.Cascade{})); handled != 100 {
			t.Errorf("%d were handled", handled)
		}
	})
	bubble(t, "ours, a supervisor", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent, children := declared(t, system, j, supervisor.Spec{})
		for range 3 {
			system.Root.Send(children[2], time.Second) // within its shutdown time
		}
		if err := supervisor.PoisonAndAwait(t.Context(), system, parent); err != nil {
			t.Error(err)
		}
		if n := j.count("slept c"); n != 3 {
			t.Errorf("%d were handled", n)
		}
	})
}

// "Stop dead-letters what it drops": it drops silently, and a Future on it times out. What must not be lost is poisoned.
func TestLibraryStop(t *testing.T) {
	run := func(system *actor.ActorSystem, stop func(*actor.PID)) (handled int, lost int64, err error) {
		dead, work := deadLetters(system), newJournal()
		pid := system.Root.Spawn(noting(work))
		for range 10 {
			system.Root.Send(pid, time.Second)
		}
		synctest.Wait()
		future := system.Root.RequestFuture(pid, act(func(ctx actor.Context) { ctx.Respond("answer") }), time.Minute)
		stop(pid)
		err = future.Wait()
		return work.count("slept"), dead.Load(), err
	}
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, _ *journal) {
		if handled, lost, err := run(system, system.Root.Stop); handled != 1 || lost != 0 || !errors.Is(err, actor.ErrTimeout) {
			t.Errorf("%d were handled, %d became dead letters, the future says %v", handled, lost, err)
		}
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, _ *journal) {
		handled, _, err := run(system, func(pid *actor.PID) {
			if err := supervisor.PoisonAndAwait(t.Context(), system, pid); err != nil {
				t.Error(err)
			}
		})
		if handled != 10 || err != nil {
			t.Errorf("%d were handled, the future says %v", handled, err)
		}
	})
}

// mortal fails in one phase of its end, once, and is guarded if ours.
func mortal(j *journal, ours bool, phase any, failWith func()) *actor.Props {
	failed := false
	var opts []actor.PropsOption
	if ours {
		opts = []actor.PropsOption{supervisor.WithGuard(nil, nil)}
	}
	opts = append(opts, actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(ctx actor.ReceiverContext, envelope *actor.MessageEnvelope) {
			next(ctx, envelope)
			if !failed && phaseIs(phase, envelope.Message) {
				failed = true
				failWith()
			}
		}
	}))
	return noting(j, opts...)
}

func phaseIs(phase, message any) bool {
	switch phase.(type) {
	case *actor.Stopping:
		_, ok := message.(*actor.Stopping)
		return ok
	case *actor.Stopped:
		_, ok := message.(*actor.Stopped)
		return ok
	}
	_, ok := message.(work)
	return ok
}

// "A panic anywhere is a failure": in Stopping the actor is resurrected, or, under a strategy that stops it, a zombie.
func TestLibraryPanicInStopping(t *testing.T) {
	for directive, instance := range map[actor.Directive]int{actor.RestartDirective: 2, actor.StopDirective: 0} {
		bubble(t, "the library, "+directive.String(), func(t *testing.T, system *actor.ActorSystem, j *journal) {
			_, children := family(t, system, j, mortal(j, false, &actor.Stopping{}, panics), []string{"child"},
				actor.WithSupervisor(actor.NewOneForOneStrategy(10, time.Minute, always(directive))))
			system.Root.Stop(children[0])
			time.Sleep(time.Hour)
			if n := answers(system, children[0]); n != instance || !alive(system, children[0]) || j.count("terminated") != 0 {
				t.Errorf("instance %d answers, want %d; it is registered: %t; %q", n, instance, alive(system, children[0]), j.since(0))
			}
		})
	}
	for _, d := range []supervisor.Directive{supervisor.Restart, supervisor.Stop} {
		bubble(t, "ours, "+d.String(), func(t *testing.T, system *actor.ActorSystem, j *journal) {
			s := restartAlways()
			s.Decide = func(*actor.PID, *supervisor.Failure) supervisor.Directive { return d }
			parent, children := family(t, system, j, mortal(j, true, &actor.Stopping{}, panics), []string{"child"}, supervisor.WithStrategy(s))
			stopAll(t, system, children[0])
			if j.count("terminated child") != 1 || j.count("started child") != 1 {
				t.Errorf("%q", j.since(0))
			}
			stopAll(t, system, parent)
		})
	}
}

// The same in Stopped: the parent never hears Terminated, and therefore never ends itself.
func TestLibraryPanicInStopped(t *testing.T) {
	run := func(t *testing.T, system *actor.ActorSystem, j *journal, ours bool, strategy actor.PropsOption) (parent *actor.PID) {
		parent, children := family(t, system, j, mortal(j, ours, &actor.Stopped{}, panics), []string{"child"}, strategy)
		system.Root.Stop(children[0])
		synctest.Wait()
		if alive(system, children[0]) {
			t.Error("the child is registered")
		}
		system.Root.Stop(parent)
		time.Sleep(time.Hour)
		return parent
	}
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent := run(t, system, j, false, actor.WithSupervisor(actor.NewRestartingStrategy()))
		if j.count("terminated child") != 0 || j.count("stopped parent") != 0 || !alive(system, parent) {
			t.Errorf("%q", j.since(0))
		}
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent := run(t, system, j, true, supervisor.WithStrategy(restartAlways()))
		if j.count("terminated child") != 1 || j.count("stopped parent") != 1 || alive(system, parent) {
			t.Errorf("%q", j.since(0))
		}
	})
}

// "A panic anywhere is a failure": after a runtime.Goexit the actor is wedged, and nobody hears of it.
func TestLibraryGoexit(t *testing.T) {
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		failures := 0
		system.EventStream.Subscribe(func(event any) {
			if _, ok := event.(*actor.SupervisorEvent); ok {
				failures++
			}
		})
		_, children := family(t, system, j, mortal(j, false, work{}, runtime.Goexit), []string{"child"})
		system.Root.Send(children[0], work{})
		time.Sleep(time.Hour)
		if n := answers(system, children[0]); n != 0 || failures != 0 {
			t.Errorf("instance %d answers, %d failures", n, failures)
		}
		system.Root.Stop(children[0])
		time.Sleep(time.Hour)
		if !alive(system, children[0]) || j.count("stopped") != 0 {
			t.Error("it can be stopped")
		}
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		s := restartAlways()
		s.Events = supervisor.NewHub()
		events := collect(s.Events)
		parent, children := family(t, system, j, mortal(j, true, work{}, runtime.Goexit), []string{"child"}, supervisor.WithStrategy(s))
		system.Root.Send(children[0], work{})
		synctest.Wait()
		if n := answers(system, children[0]); n != 2 {
			t.Errorf("instance %d answers", n)
		}
		stopAll(t, system, parent)
		if got := kinds(events()); !slices.Equal(got, []supervisor.Kind{supervisor.Failed, supervisor.Restarted}) {
			t.Errorf("events %v", got)
		}
	})
}
