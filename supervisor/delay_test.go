package supervisor_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

var errBusy = supervisor.Temporary(errors.New("busy"))

// settle lets the library's dead-letter throttle end before the bubble does.
func settle() { time.Sleep(2 * time.Second); synctest.Wait() }

func backingOff(hub *supervisor.Hub) *supervisor.Strategy {
	return &supervisor.Strategy{
		Budget:  supervisor.Budget{Intensity: 10, Period: time.Hour},
		Backoff: supervisor.Backoff{Min: 10 * time.Second, Max: time.Minute},
		Rand:    func() float64 { return 0.5 },
		Events:  hub,
	}
}

func TestRestartLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, hub := newSystem(), supervisor.NewHub()
		events := collect(hub)
		pids := make(chan []*actor.PID, 1)
		root := system.Root.Spawn(parentOf(pids, nil, []actor.PropsOption{supervisor.WithStrategy(backingOff(hub))}, failing()))
		child := receive(t, pids, "the child")[0]
		reply := make(chan int, 1)
		began := time.Now()
		system.Root.Send(child, failNow{errBusy})
		system.Root.Send(child, ask{reply})
		if n := receive(t, reply, "an answer"); n != 2 || time.Since(began) != 5*time.Second {
			t.Errorf("instance %d answered after %v, want the second after 5s", n, time.Since(began))
		}
		system.Root.Stop(root)
		settle()
		got := events()
		if len(got) != 3 || got[1].Kind != supervisor.RestartDelayed || got[1].Delay != 5*time.Second || got[2].Kind != supervisor.Restarted ||
			got[2].Delay != 5*time.Second || got[2].Incarnation != 1 || got[2].BudgetLeft != 9 || got[2].Time.Sub(got[1].Time) != 5*time.Second {
			t.Errorf("%+v", got)
		}
	})
}

// Whatever ends the wait, the timer must neither resurrect the child nor hit another actor of its name.
func TestStopDuringBackoff(t *testing.T) {
	for name, observe := range map[string]bool{"observing": true, "blind": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system := newSystem()
				s := backingOff(nil)
				option := supervisor.WithStrategy(s)
				if !observe {
					option = actor.WithSupervisor(s)
				}
				instances := 0
				props := actor.PropsFromProducer(func() actor.Actor {
					instances++
					return actor.ReceiveFunc(func(ctx actor.Context) {
						switch m := ctx.Message().(type) {
						case failNow:
							panic(m.value)
						case ask:
							m.reply <- instances
						}
					})
				})
				if observe {
					props.Configure(supervisor.WithGuard(nil, nil))
				}
				terminated := make(chan string, 10)
				root := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
					switch m := ctx.Message().(type) {
					case *actor.Started, work:
						if _, err := ctx.SpawnNamed(props, "child"); err != nil {
							t.Error(err)
						}
					case *actor.Terminated:
						terminated <- m.Who.Id
					}
				}, option))
				synctest.Wait()
				child := actor.NewPID(root.Address, root.Id+"/child")
				system.Root.Send(child, failNow{errBusy})
				synctest.Wait()
				if s.Known() != 1 {
					t.Fatalf("it knows %d children", s.Known())
				}
				system.Root.Stop(child)
				receive(t, terminated, "Terminated")
				if observe && s.Known() != 0 {
					t.Error("Terminated did not make it forget")
				}
				system.Root.Send(root, work{})
				synctest.Wait()
				time.Sleep(time.Minute)
				synctest.Wait()
				if instances != 2 {
					t.Errorf("%d instances, want the first and its successor", instances)
				}
				reply := make(chan int, 1)
				system.Root.Send(actor.NewPID(root.Address, root.Id+"/child"), ask{reply})
				receive(t, reply, "the successor")
				nothing(t, terminated, "another Terminated")
				system.Root.Stop(root)
				settle()
				if _, alive := system.ProcessRegistry.Get(root); alive || len(terminated) != 1 {
					t.Error("the tree has not ended")
				}
			})
		})
	}
}

// The parent stops, restarts, or the child fails otherwise, while a restart is due.
func TestParentEndsDuringBackoff(t *testing.T) {
	for _, what := range []string{"stop", "restart", "forget"} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system, hub := newSystem(), supervisor.NewHub()
				events := collect(hub)
				s := backingOff(hub)
				pids := make(chan []*actor.PID, 2)
				root := system.Root.Spawn(parentOf(pids, nil, []actor.PropsOption{supervisor.WithStrategy(s)}, failing()))
				child := receive(t, pids, "the child")[0]
				system.Root.Send(child, failNow{errBusy})
				synctest.Wait()
				switch process, _ := system.ProcessRegistry.Get(root); what {
				case "stop":
					system.Root.Stop(root)
				case "restart":
					process.SendSystemMessage(root, &actor.Restart{})
				case "forget":
					s.Forget(child)
				}
				synctest.Wait()
				if s.Known() != 0 {
					t.Errorf("it knows %d children", s.Known())
				}
				time.Sleep(time.Minute)
				system.Root.Stop(root)
				settle()
				if got := kinds(events()); len(got) != 2 {
					t.Errorf("events %v, want the failure and the delay only", got)
				}
				for _, pid := range []*actor.PID{root, child} {
					if _, alive := system.ProcessRegistry.Get(pid); alive {
						t.Errorf("%s is alive", pid.Id)
					}
				}
			})
		})
	}
}
