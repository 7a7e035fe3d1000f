package supervisor_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// A supervisor's clock and random source are functions of the user's. One that panics is the supervisor's own failure: it begins anew, and neither a
// snapshot nor a Stop waits for ever.
func TestSupervisorWhoseFunctionsPanic(t *testing.T) {
	for _, which := range []string{"Rand", "Now"} {
		t.Run(which, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system, tree, hub := newSystem(), new(supervisor.Tree), supervisor.NewHub()
				events := collect(hub)
				var broken atomic.Bool
				breaks := func(what string) {
					if what == which && broken.CompareAndSwap(true, false) {
						panic("broken " + what)
					}
				}
				spec := supervisor.Spec{
					Name: "top", Tree: tree, Events: hub,
					Now:  func() time.Time { breaks("Now"); return time.Now() },
					Rand: func() float64 { breaks("Rand"); return 0.5 },
					Children: []supervisor.ChildSpec{
						{Name: "a", Props: failing()},
						{Name: "b", Props: idle()},
						{Name: "c", Props: failing(), Backoff: supervisor.Backoff{Min: time.Second}},
					},
				}
				top, err := supervisor.Spawn(system.Root, spec)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				broken.Store(true)
				system.Root.Send(system.NewLocalPID("top/c"), failNow{"boom"})
				time.Sleep(time.Minute)
				synctest.Wait()
				root, ok := tree.Snapshot()
				if !ok || len(root.Children) != 3 {
					t.Fatalf("snapshot %+v", root)
				}
				for _, child := range root.Children {
					if child.State != supervisor.ChildRunning {
						t.Errorf("%s is %v", child.Name, child.State)
					}
				}
				if n := answers(system, actor.NewPID(top.Address, "top/c")); n == 0 {
					t.Error("the child that failed does not answer")
				}
				stopAll(t, system, top)
				settle()
				_ = events()
			})
		})
	}
}
