package supervisor_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// The root of a snapshot says whether the supervisor is starting, runs, or is stopping; a nested one says the same of itself.
func TestTreeSaysWhereTheRootIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, tree := newSystem(), new(supervisor.Tree)
		gates := map[any]chan struct{}{"start": make(chan struct{}), "stop": make(chan struct{})}
		slow := actor.PropsFromFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				<-gates["start"]
			case *actor.Stopping:
				<-gates["stop"]
			}
		})
		want := func(root, sub supervisor.ChildState) {
			t.Helper()
			node, ok := tree.Snapshot()
			if !ok || node.State != root || node.Children[0].State != sub {
				t.Errorf("the root is %v, want %v; below it %v", node.State, root, node.Children)
			}
		}
		top, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "top", Tree: tree, Children: []supervisor.ChildSpec{
			{Name: "sub", Supervisor: &supervisor.Spec{Children: []supervisor.ChildSpec{{Name: "slow", Props: slow, Shutdown: time.Hour}}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want(supervisor.ChildStarting, supervisor.ChildStarting)
		close(gates["start"])
		synctest.Wait()
		want(supervisor.ChildRunning, supervisor.ChildRunning)
		system.Root.Stop(top)
		synctest.Wait()
		want(supervisor.ChildStopping, supervisor.ChildStopping)
		close(gates["stop"])
		settle()
	})
}

// A snapshot asks nobody: it is taken while every actor of the tree is busy, the supervisor itself included.
func TestTreeOfTheBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, tree := newSystem(), new(supervisor.Tree)
		gate := make(chan struct{})
		top, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "top", Tree: tree, Children: []supervisor.ChildSpec{{
			Name: "a", Props: failing(), Decide: func(*supervisor.Failure) supervisor.Directive {
				<-gate
				return supervisor.Restart
			},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		system.Root.Send(actor.NewPID(top.Address, "top/a"), failNow{"boom"})
		synctest.Wait()
		if node, ok := tree.Snapshot(); !ok || len(node.Children) != 1 {
			t.Errorf("%+v", node)
		}
		close(gate)
		stopAll(t, system, top)
		settle()
	})
}

// BenchmarkSnapshot is what a snapshot costs, in all and for each child; the children are not disturbed.
func BenchmarkSnapshot(b *testing.B) {
	for _, c := range []struct {
		strategy supervisor.Grouping
		children int
	}{{supervisor.OneForOne, 10}, {supervisor.OneForOne, 1000}, {supervisor.Dynamic, 1000}, {supervisor.Dynamic, 10_000}} {
		b.Run(fmt.Sprintf("%v-%d", c.strategy, c.children), func(b *testing.B) {
			system, tree := newSystem(), new(supervisor.Tree)
			spec := supervisor.Spec{Tree: tree, Strategy: c.strategy}
			if c.strategy == supervisor.Dynamic {
				spec.Template.Props = idle()
			} else {
				for i := range c.children {
					spec.Children = append(spec.Children, supervisor.ChildSpec{Name: fmt.Sprint(i), Props: idle()})
				}
			}
			top, err := supervisor.Spawn(system.Root, spec)
			if err != nil {
				b.Fatal(err)
			}
			for range c.children - len(spec.Children) {
				if _, err := system.Root.RequestFuture(top, supervisor.StartChild{}, patience).Result(); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := system.Root.RequestFuture(top, supervisor.AwaitStart{}, patience).Result(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if node, ok := tree.Snapshot(); !ok || len(node.Children) != c.children {
					b.Fatal(len(node.Children))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.children), "ns/child")
			shut(b, system, top)
		})
	}
}
