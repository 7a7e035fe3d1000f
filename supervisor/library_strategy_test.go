package supervisor_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// "NewExponentialBackoffStrategy is exponential": it is linear, without a cap, with less than 500 nanoseconds of jitter, and never gives up.
func TestLibraryBackoff(t *testing.T) {
	stubborn := func(j *journal) *actor.Props {
		return actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); ok {
				j.note("started")
				panic("boom")
			}
		})
	}
	delays := func(j *journal) (list []time.Duration) {
		j.mu.Lock()
		defer j.mu.Unlock()
		for i := range len(j.times) - 1 {
			list = append(list, j.times[i+1]-j.times[i])
		}
		return list
	}
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent, _ := family(t, system, newJournal(), stubborn(j), []string{"child"}, actor.WithSupervisor(actor.NewExponentialBackoffStrategy(time.Hour, time.Second)))
		time.Sleep(30 * 31 / 2 * time.Second)
		list := delays(j)
		if len(list) < 29 {
			t.Fatalf("%d restarts", len(list))
		}
		for i, d := range list {
			if linear := time.Duration(i+1) * time.Second; d < linear || d >= linear+500 {
				t.Errorf("delay %d is %v, want %v", i, d, linear)
			}
		}
		stopAll(t, system, parent)
		time.Sleep(time.Minute) // its last timer cannot be stopped
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		full := 1 - 1e-9
		s := &supervisor.Strategy{
			Decide:   func(*actor.PID, *supervisor.Failure) supervisor.Directive { return supervisor.RestartLater },
			Budget:   supervisor.Budget{Intensity: 6, Period: time.Hour},
			PerChild: true,
			Backoff:  supervisor.Backoff{Min: time.Second, Max: 8 * time.Second},
			Rand:     func() float64 { return full },
		}
		lives := newJournal()
		parent, _ := family(t, system, lives, stubborn(j), []string{"child"}, supervisor.WithStrategy(s))
		time.Sleep(time.Hour)
		want := []time.Duration{1, 2, 4, 8, 8, 8}
		list := delays(j)
		if len(list) != len(want) || lives.count("terminated child") != 1 {
			t.Fatalf("delays %v, want %v seconds, and the end of the child", list, want)
		}
		for i, d := range list {
			if d.Round(time.Millisecond) != want[i]*time.Second {
				t.Errorf("delay %d is %v, want %v seconds", i, d, want[i])
			}
		}
		stopAll(t, system, parent)
	})
}

// "its late timer can hit a successor of the same name".
func TestLibraryLateTimer(t *testing.T) {
	run := func(t *testing.T, system *actor.ActorSystem, j *journal, strategy actor.PropsOption) (started int) {
		parent, children := family(t, system, j, noting(j), []string{"child"}, strategy)
		system.Root.Send(children[0], failNow{supervisor.Temporary(errFragile)})
		synctest.Wait()
		system.Root.Stop(children[0]) // somebody else stops it before its delay is over
		synctest.Wait()
		system.Root.Send(parent, spawnAct(t, noting(j), "child"))
		time.Sleep(time.Minute)
		stopAll(t, system, parent)
		return j.count("started child")
	}
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		if n := run(t, system, j, actor.WithSupervisor(actor.NewExponentialBackoffStrategy(time.Hour, time.Second))); n != 3 {
			t.Errorf("%d instances, want a successor that was restarted", n)
		}
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		s := &supervisor.Strategy{Budget: supervisor.Budget{Intensity: 9}, Backoff: supervisor.Backoff{Min: time.Second}, Rand: func() float64 { return 0.9 }}
		if n := run(t, system, j, supervisor.WithStrategy(s)); n != 2 {
			t.Errorf("%d instances, want a successor that was left alone", n)
		}
	})
}

var four = []string{"a", "b", "c", "d"}

// declared starts a supervisor "parent" with children of the names in four.
func declared(t *testing.T, system *actor.ActorSystem, j *journal, s supervisor.Spec) (parent *actor.PID, children []*actor.PID) {
	t.Helper()
	s.Name = "parent"
	for _, name := range four {
		s.Children = append(s.Children, supervisor.ChildSpec{Name: name, Props: noting(j)})
		children = append(children, system.NewLocalPID("parent/"+name))
	}
	parent, err := supervisor.Spawn(system.Root, s)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return parent, children
}

// twelve makes each of the children fail three times, one after the other.
func twelve(system *actor.ActorSystem, children []*actor.PID) {
	for i := range 12 {
		system.Root.Send(children[i%len(children)], failNow{"boom"})
		synctest.Wait()
	}
}

// "AllForOne has one budget and an order": the budget counts the failing child only.
func TestLibraryAllForOne(t *testing.T) {
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent, children := family(t, system, j, noting(j), four, actor.WithSupervisor(actor.NewAllForOneStrategy(3, time.Hour, actor.DefaultDecider)))
		twelve(system, children)
		if restarts, stops := j.count("restarting"), j.count("stopped"); restarts != 48 || stops != 0 {
			t.Errorf("%d restarts and %d stops, want 48 and none", restarts, stops)
		}
		stopAll(t, system, parent)
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		hub := supervisor.NewHub()
		events := collect(hub)
		parent, children := declared(t, system, j, supervisor.Spec{Strategy: supervisor.OneForAll, Events: hub, Budget: supervisor.Budget{Intensity: 3, Period: time.Hour}})
		before := len(j.since(0))
		system.Root.Send(children[1], failNow{"boom"})
		synctest.Wait()
		order := j.since(before)
		want := []string{"stopped d 1", "stopped c 1", "stopped a 1", "started a", "started b", "started c", "started d"}
		got := slices.DeleteFunc(slices.Clone(order), func(line string) bool { return strings.HasPrefix(line, "restarting") || line == "stopped b 1" })
		for i := range got {
			if strings.HasPrefix(got[i], "started") {
				got[i] = strings.TrimRight(got[i], " 12")
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("a restart of all: %q, want %q", order, want)
		}
		twelve(system, children)
		if alive(system, parent) {
			t.Error("the supervisor lives on")
		}
		if n := j.count("started"); n != 4+3*4 {
			t.Errorf("%d starts, want four and three times four", n)
		}
		list := kinds(events())
		if n := len(slices.DeleteFunc(list, func(k supervisor.Kind) bool { return k != supervisor.BudgetSpent })); n != 1 {
			t.Errorf("the budget was spent %d times", n)
		}
	})
}

// "There is … intensity per supervisor": each child has a budget of its own.
func TestLibraryIntensity(t *testing.T) {
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent, children := family(t, system, j, noting(j), four, actor.WithSupervisor(actor.NewOneForOneStrategy(3, time.Hour, actor.DefaultDecider)))
		twelve(system, children)
		if restarts, stops := j.count("restarting"), j.count("stopped"); restarts != 12 || stops != 0 {
			t.Errorf("%d restarts and %d stops, want 12 and none", restarts, stops)
		}
		stopAll(t, system, parent)
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent, children := declared(t, system, j, supervisor.Spec{Budget: supervisor.Budget{Intensity: 3, Period: time.Hour}})
		twelve(system, children)
		if n := j.count("started"); n != 4+3 || alive(system, parent) {
			t.Errorf("%d starts, want four and three; the supervisor lives: %t", n, alive(system, parent))
		}
	})
}

// "There is rest-for-one": there are one and all, and nothing between.
func TestLibraryRestForOne(t *testing.T) {
	restarted := func(j *journal) (names string) {
		for _, name := range four {
			if j.count("started "+name) > 1 {
				names += name
			}
		}
		return names
	}
	for strategy, want := range map[actor.SupervisorStrategy]string{
		actor.NewOneForOneStrategy(3, time.Hour, actor.DefaultDecider): "c",
		actor.NewAllForOneStrategy(3, time.Hour, actor.DefaultDecider): "abcd",
	} {
		bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
			parent, children := family(t, system, j, noting(j), four, actor.WithSupervisor(strategy))
			system.Root.Send(children[2], failNow{"boom"})
			synctest.Wait()
			if got := restarted(j); got != want {
				t.Errorf("restarted %q, want %q", got, want)
			}
			stopAll(t, system, parent)
		})
	}
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent, children := declared(t, system, j, supervisor.Spec{Strategy: supervisor.RestForOne})
		system.Root.Send(children[2], failNow{"boom"})
		synctest.Wait()
		if got := restarted(j); got != "cd" {
			t.Errorf("restarted %q, want the child and those after it", got)
		}
		stopAll(t, system, parent)
	})
	bubble(t, "ours, as a strategy", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		s := restartAlways()
		s.Group = supervisor.RestForOne
		parent, children := family(t, system, j, noting(j), four, supervisor.WithStrategy(s))
		system.Root.Send(children[2], failNow{"boom"})
		synctest.Wait()
		if got := restarted(j); got != "cd" {
			t.Errorf("restarted %q, want the child and those after it", got)
		}
		stopAll(t, system, parent)
	})
}

// "There is … restart types": whoever ends by himself is gone.
func TestLibraryRestartTypes(t *testing.T) {
	leave := act(func(ctx actor.Context) { ctx.Stop(ctx.Self()) })
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent, children := family(t, system, j, noting(j), []string{"child"}, actor.WithSupervisor(actor.NewRestartingStrategy()))
		system.Root.Send(children[0], leave)
		time.Sleep(time.Hour)
		if j.count("started child") != 1 || j.count("terminated child") != 1 {
			t.Errorf("%q", j.since(0))
		}
		stopAll(t, system, parent)
	})
	for _, c := range []struct {
		restart       supervisor.RestartType
		leaves, fails int // instances after the one and after the other
	}{{supervisor.RestartPermanent, 2, 2}, {supervisor.RestartTransient, 1, 2}, {supervisor.RestartTemporary, 1, 1}} {
		for how, message := range map[string]any{"leaves": leave, "fails": failNow{"boom"}} {
			bubble(t, fmt.Sprintf("ours, %v %s", c.restart, how), func(t *testing.T, system *actor.ActorSystem, j *journal) {
				parent, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "parent", Children: []supervisor.ChildSpec{{Name: "child", Props: noting(j), Restart: c.restart}}})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				system.Root.Send(system.NewLocalPID("parent/child"), message)
				time.Sleep(time.Hour)
				if n, want := j.count("started child"), map[string]int{"leaves": c.leaves, "fails": c.fails}[how]; n != want {
					t.Errorf("%d instances, want %d", n, want)
				}
				stopAll(t, system, parent)
			})
		}
	}
}

// "Router pools: … the 11th crash removes a worker and none replaces it": so it is with every child under the default strategy.
func TestLibraryEleventhCrash(t *testing.T) {
	eleven := func(system *actor.ActorSystem, child *actor.PID) {
		for range 11 {
			system.Root.Send(child, failNow{"boom"})
			synctest.Wait()
		}
	}
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		parent, children := family(t, system, j, noting(j), []string{"worker"})
		eleven(system, children[0])
		time.Sleep(time.Hour)
		if j.count("started worker") != 11 || alive(system, children[0]) || !alive(system, parent) {
			t.Errorf("%q", j.since(0))
		}
		stopAll(t, system, parent)
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		pool := supervisor.Spec{Budget: supervisor.Budget{Intensity: 10, Period: 10 * time.Second}, Children: []supervisor.ChildSpec{{Name: "worker", Props: noting(j)}}}
		parent, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "parent", Children: []supervisor.ChildSpec{{Name: "pool", Supervisor: &pool}}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		worker := system.NewLocalPID("parent/pool/worker")
		eleven(system, worker)
		if n := answers(system, worker); n != 12 {
			t.Errorf("instance %d of the worker answers; %q", n, j.since(0))
		}
		stopAll(t, system, parent)
	})
}
