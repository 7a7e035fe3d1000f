package supervisor_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// "PoisonFuture and StopFuture wait": for ten seconds, whatever one does.
func TestLibraryFutures(t *testing.T) {
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		for _, stop := range []func(*actor.PID) *actor.Future{system.Root.PoisonFuture, system.Root.StopFuture} {
			pid := system.Root.Spawn(noting(j))
			system.Root.Send(pid, time.Minute)
			synctest.Wait()
			start := time.Now()
			if err := stop(pid).Wait(); !errors.Is(err, actor.ErrTimeout) || time.Since(start) != 10*time.Second || !alive(system, pid) {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			time.Sleep(time.Hour)
		}
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		pid := system.Root.Spawn(noting(j))
		system.Root.Send(pid, time.Minute)
		synctest.Wait()
		start := time.Now()
		if err := supervisor.StopAndAwait(t.Context(), system, pid); err != nil || time.Since(start) != time.Minute || j.count("stopped") != 1 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// reenterer waits for something, and notes which incarnation it was that learned of it, and which one is there.
type reenterer struct {
	number  int
	present *int // the number of the incarnation that lives
	wait    func(ctx actor.Context, self *reenterer)
	j       *journal
}

func (r *reenterer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		*r.present = r.number
	case work:
		r.wait(ctx, r)
	case failNow:
		panic(m.value)
	case supervisor.Awaited:
		r.learned()
	}
}

func (r *reenterer) learned() { r.j.note("%d learned of it while %d lives", r.number, *r.present) }

// "ReenterAfter": the closure of the dead incarnation runs after the restart, among the living one's messages.
func TestLibraryReenterAfter(t *testing.T) {
	run := func(t *testing.T, system *actor.ActorSystem, j *journal, wait func(ctx actor.Context, self *reenterer), happen func()) {
		instances, present := 0, 0
		child := actor.PropsFromProducer(func() actor.Actor {
			instances++
			return &reenterer{number: instances, present: &present, wait: wait, j: j}
		})
		parent, children := family(t, system, newJournal(), child, []string{"child"})
		system.Root.Send(children[0], work{})
		system.Root.Send(children[0], failNow{"boom"})
		synctest.Wait()
		happen()
		synctest.Wait()
		stopAll(t, system, parent)
	}
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		future := actor.NewFuture(system, time.Hour)
		run(t, system, j, func(ctx actor.Context, self *reenterer) {
			ctx.ReenterAfter(future, func(any, error) { self.learned() })
		}, func() { system.Root.Send(future.PID(), "result") })
		if got := j.since(0); !slices.Equal(got, []string{"1 learned of it while 2 lives"}) {
			t.Errorf("%q", got)
		}
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		other := system.Root.Spawn(noting(newJournal()))
		run(t, system, j, func(ctx actor.Context, _ *reenterer) {
			supervisor.AwaitAsync(t.Context(), ctx, "other", other)
		}, func() { system.Root.Stop(other) })
		if got := j.since(0); !slices.Equal(got, []string{"2 learned of it while 2 lives"}) {
			t.Errorf("%q", got)
		}
	})
}

// "ActorSystem.Shutdown": it stops no actor, and the second call panics.
func TestLibraryShutdown(t *testing.T) {
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		pid := system.Root.Spawn(noting(j))
		system.Shutdown()
		time.Sleep(time.Hour)
		if n := answers(system, pid); n != 1 {
			t.Error("the actor has ended")
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the second call did not panic")
				}
			}()
			system.Shutdown()
		}()
		stopAll(t, system, pid)
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent, _ := declared(t, system, j, supervisor.Spec{})
		before := len(j.since(0))
		stopAll(t, system, parent)
		stopAll(t, system, parent)
		if got, want := j.since(before), []string{"stopped d 1", "stopped c 1", "stopped b 1", "stopped a 1"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
