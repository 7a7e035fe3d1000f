package supervisor_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// A strategy whose own functions fail leaves no child suspended, whatever becomes of the parent.
func TestStrategyThatFails(t *testing.T) {
	for how, failWith := range map[string]func(){"panics": panics, "exits": exits} {
		for what, s := range map[string]*supervisor.Strategy{
			"Decide": {Decide: func(*actor.PID, *supervisor.Failure) supervisor.Directive { failWith(); return 0 }},
			"Exempt": {Exempt: func(*actor.PID, *supervisor.Failure) bool { failWith(); return false }},
			"OnSpent": {OnSpent: func(*actor.ActorSystem, actor.Supervisor, *actor.PID, *supervisor.Failure) {
				failWith()
			}},
		} {
			bubble(t, what+" "+how, func(t *testing.T, system *actor.ActorSystem, j *journal) {
				s.Events = supervisor.NewHub()
				events := collect(s.Events)
				var heard *supervisor.Failure
				top := &supervisor.Strategy{Decide: func(_ *actor.PID, f *supervisor.Failure) supervisor.Directive {
					heard = f
					return supervisor.Resume
				}}
				guard := supervisor.WithGuard(nil, nil)
				root, children := family(t, system, j, noting(j, guard, supervisor.WithStrategy(s)), []string{"middle"}, supervisor.WithStrategy(top))
				child := system.NewLocalPID("parent/middle/child")
				system.Root.Send(children[0], spawnAct(t, noting(j, guard), "child"))
				synctest.Wait()
				system.Root.Send(child, failNow{"boom"})
				synctest.Wait()
				if alive(system, child) || j.count("terminated child") != 1 || answers(system, children[0]) != 1 {
					t.Errorf("%q", j.since(0))
				}
				if heard == nil || heard.Stack() == "" || heard.Goexit != (how == "exits") {
					t.Errorf("the failure of the parent is %+v", heard)
				}
				stopAll(t, system, root)
				if list := kinds(events()); !slices.Contains(list, supervisor.Stopped) {
					t.Errorf("events %v", list)
				}
			})
			bubble(t, what+" "+how+" in a guardian", func(t *testing.T, system *actor.ActorSystem, j *journal) {
				pid, err := system.Root.SpawnNamed(noting(j, supervisor.WithGuard(nil, nil)).Configure(actor.WithGuardian(s)), "root")
				if err != nil {
					t.Fatal(err)
				}
				system.Root.Send(pid, failNow{"boom"})
				synctest.Wait()
				if alive(system, pid) {
					t.Error("it lives on")
				}
			})
		}
	}
}

// The same at the end of a delay, when nobody has failed just now.
func TestStrategyThatFailsLater(t *testing.T) {
	bubble(t, "Now", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		var broken atomic.Bool
		s := backingOff(nil)
		s.Now = func() time.Time {
			if broken.Swap(false) {
				panic("no clock")
			}
			return time.Now()
		}
		top := &supervisor.Strategy{Decide: func(*actor.PID, *supervisor.Failure) supervisor.Directive { return supervisor.Resume }}
		guard := supervisor.WithGuard(nil, nil)
		root, children := family(t, system, j, noting(j, guard, supervisor.WithStrategy(s)), []string{"middle"}, supervisor.WithStrategy(top))
		child := system.NewLocalPID("parent/middle/child")
		system.Root.Send(children[0], spawnAct(t, noting(j, guard), "child"))
		synctest.Wait()
		system.Root.Send(child, failNow{errBusy})
		synctest.Wait()
		broken.Store(true)
		time.Sleep(time.Minute)
		if alive(system, child) || j.count("terminated child") != 1 || answers(system, children[0]) != 1 {
			t.Errorf("the child stays suspended; %q", j.since(0))
		}
		stopAll(t, system, root)
	})
}
