package supervisor_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// A group under a plain parent: who is restarted, in which order, and what it costs.
func TestStrategyGroups(t *testing.T) {
	for _, c := range []struct {
		group supervisor.Grouping
		value any
		later time.Duration
		want  string // the children that are restarted when the second of four fails
	}{
		{supervisor.OneForOne, "boom", 0, "child-1"},
		{supervisor.OneForAll, "boom", 0, "child-0 child-1 child-2 child-3"},
		{supervisor.RestForOne, "boom", 0, "child-1 child-2 child-3"},
		{supervisor.OneForAll, errBusy, 5 * time.Second, "child-0 child-1 child-2 child-3"},
		{supervisor.RestForOne, errBusy, 5 * time.Second, "child-1 child-2 child-3"},
	} {
		t.Run(fmt.Sprint(c.group, " ", c.later), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system, hub := newSystem(), supervisor.NewHub()
				events := collect(hub)
				s := backingOff(hub)
				s.Group = c.group
				s.Budget = supervisor.Budget{Intensity: 2, Period: time.Hour}
				pids, terminated := make(chan []*actor.PID, 1), make(chan string, 10)
				root := system.Root.Spawn(parentOf(pids, terminated, []actor.PropsOption{supervisor.WithStrategy(s)},
					failing(), failing(), failing(), failing()))
				children := receive(t, pids, "the children")
				reply := make(chan int, 10)
				for range 2 { // as many as the budget has: a group costs one
					system.Root.Send(children[1], failNow{c.value})
					time.Sleep(time.Minute)
					synctest.Wait()
				}
				for _, child := range children {
					system.Root.Send(child, ask{reply})
					synctest.Wait()
					want := 1
					if strings.Contains(c.want, child.Id[strings.Index(child.Id, "/")+1:]) {
						want = 3
					}
					if n := receive(t, reply, child.Id); n != want {
						t.Errorf("%s is instance %d, want %d", child.Id, n, want)
					}
				}
				system.Root.Send(children[1], failNow{c.value}) // once too often: it escalates, and the root ends
				synctest.Wait()
				if _, alive := system.ProcessRegistry.Get(root); alive {
					t.Error("the budget is not spent")
				}
				settle()
				var restarted []string
				for _, e := range events() {
					if e.Kind == supervisor.Restarted && e.Incarnation == 1 {
						restarted = append(restarted, e.Path[strings.Index(e.Path, "/")+1:])
						if e.Delay > 0 != (c.later > 0) || e.BudgetLeft != 1 {
							t.Errorf("%+v", e)
						}
					}
				}
				if got := strings.Join(restarted, " "); got != c.want {
					t.Errorf("restarted %s, want %s", got, c.want)
				}
			})
		})
	}
}

// The order is that of starting, although the library's own list loses it when a child stops.
func TestStrategyGroupOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, hub := newSystem(), supervisor.NewHub()
		events := collect(hub)
		s := &supervisor.Strategy{Group: supervisor.RestForOne, Budget: supervisor.Budget{Intensity: 9}, Events: hub}
		pids := make(chan []*actor.PID, 1)
		root := system.Root.Spawn(parentOf(pids, nil, []actor.PropsOption{supervisor.WithStrategy(s)},
			failing(), failing(), failing(), failing(), failing()))
		children := receive(t, pids, "the children")
		system.Root.Stop(children[1])
		synctest.Wait()
		system.Root.Send(children[2], failNow{"boom"})
		synctest.Wait()
		system.Root.Stop(root)
		settle()
		var got []string
		for _, e := range events() {
			if e.Kind == supervisor.Restarted {
				got = append(got, e.Path[strings.Index(e.Path, "/")+1:])
			}
		}
		if want := []string{"child-2", "child-3", "child-4"}; !slices.Equal(got, want) {
			t.Errorf("restarted %v, want %v", got, want)
		}
	})
}

// A cascade with a deadline: what has not drained is forced, what hangs is given up, and the actor ends.
func TestCascadeDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, hub := newSystem(), supervisor.NewHub()
		events := collect(hub)
		gate := make(chan struct{})
		child := actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case time.Duration:
				time.Sleep(m)
			case work:
				<-gate
			}
		}, supervisor.WithGuard(nil, nil))
		pids, terminated := make(chan []*actor.PID, 1), make(chan string, 10)
		root := system.Root.Spawn(parentOf(pids, terminated, []actor.PropsOption{
			supervisor.WithCascade(supervisor.Cascade{Deadline: 10 * time.Second, Grace: 3 * time.Second, Events: hub, Phase: supervisor.Together}),
		}, child, child, child, child))
		children := receive(t, pids, "the children")
		for range 10 {
			system.Root.Send(children[1], 4*time.Second) // at the deadline, the third of ten is being handled: it ends within the grace
		}
		system.Root.Send(children[2], work{})
		system.Root.Send(children[3], 9*time.Second)
		synctest.Wait()
		seen := watch(system, root)
		system.Root.Poison(root)
		time.Sleep(13*time.Second - time.Millisecond)
		nothing(t, seen, "an end before the grace is over")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		receive(t, seen, "the end")
		if _, alive := system.ProcessRegistry.Get(children[2]); !alive {
			t.Error("the name of the one that hangs is free")
		}
		close(gate)
		settle()
		if _, alive := system.ProcessRegistry.Get(children[2]); alive {
			t.Error("the one that was given up does not end")
		}
		var got []string
		for _, e := range events() {
			got = append(got, e.Kind.String()+" "+e.Path[strings.LastIndex(e.Path, "/")+1:])
		}
		want := []string{"forced child-2", "forced child-1", "given up child-2", "drained " + root.Id}
		if !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
		close(terminated)
		if n := len(terminated); n != 4 {
			t.Errorf("the actor has heard of %d ends", n)
		}
	})
}

// A cascade that has drained in time forgets its deadline.
func TestCascadeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, hub := newSystem(), supervisor.NewHub()
		events := collect(hub)
		pids := make(chan []*actor.PID, 1)
		root := system.Root.Spawn(parentOf(pids, nil, []actor.PropsOption{
			supervisor.WithCascade(supervisor.Cascade{Deadline: time.Second, Events: hub}),
		}, failing()))
		receive(t, pids, "the children")
		system.Root.Poison(root)
		synctest.Wait()
		if _, alive := system.ProcessRegistry.Get(root); alive {
			t.Error("it has not ended")
		}
		settle()
		if got := kinds(events()); !slices.Equal(got, []supervisor.Kind{supervisor.Drained}) {
			t.Errorf("events %v", got)
		}
	})
}

// A snapshot shows every level, while actors are busy, and after the end nothing.
func TestTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, tree := newSystem(), new(supervisor.Tree)
		if _, ok := tree.Snapshot(); ok {
			t.Error("there is a tree before there is one")
		}
		gate := make(chan struct{})
		worker := actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case failNow:
				panic(m.value)
			case work:
				<-gate
			}
		})
		pid, err := supervisor.Spawn(system.Root, supervisor.Spec{
			Name: "top", Tree: tree, Budget: supervisor.Budget{Intensity: 7, Period: time.Minute},
			Children: []supervisor.ChildSpec{
				{Name: "a", Props: worker},
				{Name: "sub", Restart: supervisor.RestartTransient, Supervisor: &supervisor.Spec{
					Strategy: supervisor.RestForOne, Children: []supervisor.ChildSpec{{Name: "x", Props: worker}},
				}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		boom := errors.New("boom")
		x := actor.NewPID(pid.Address, "top/sub/x")
		system.Root.Send(x, failNow{boom})
		synctest.Wait()
		for range 4 {
			system.Root.Send(x, work{})
		}
		synctest.Wait()
		root, ok := tree.Snapshot()
		if !ok || root.Name != "top" || !root.Supervisor || root.BudgetLeft != 7 || len(root.Children) != 2 || root.Children[0].Name != "a" {
			t.Fatalf("%+v", root)
		}
		sub := root.Children[1]
		if !sub.Supervisor || sub.Restart != supervisor.RestartTransient || sub.Strategy != supervisor.RestForOne || sub.BudgetLeft != 0 || len(sub.Children) != 1 {
			t.Fatalf("%+v", sub)
		}
		got := sub.Children[0]
		if got.Name != "x" || got.State != supervisor.ChildRunning || got.Incarnation != 1 || got.Restarts != 1 || got.Mailbox != 3 ||
			!errors.Is(got.LastFailure, boom) || !got.PID.Equal(x) {
			t.Errorf("%+v", got)
		}
		close(gate)
		system.Root.Stop(pid)
		settle()
		if _, ok := tree.Snapshot(); ok {
			t.Error("there is a tree after its end")
		}
	})
}
