package supervisor_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/router"

	"github.com/understudy-go/understudy/supervisor"
)

// A pool below a parent that stops: the parent hears that the library's router has terminated, and ends, and the workers live on.
func TestLibraryRouterOutlivesItsParent(t *testing.T) {
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		var mu sync.Mutex
		var workers []*actor.PID
		pool := router.NewRoundRobinPool(2, actor.WithFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				mu.Lock()
				workers = append(workers, ctx.Self())
				mu.Unlock()
			case *actor.Stopped:
				j.note("stopped a worker")
			}
		}))
		parent, _ := family(t, system, j, nil, nil)
		system.Root.Send(parent, spawnAct(t, pool, "pool"))
		synctest.Wait()
		system.Root.Stop(parent)
		time.Sleep(time.Hour)
		if want := []string{"started parent 1", "terminated pool", "stopped parent 1"}; !slices.Equal(j.since(0), want) {
			t.Errorf("%q, want %q", j.since(0), want)
		}
		for _, w := range workers {
			if !alive(system, w) {
				t.Errorf("%s has ended", w.Id)
			}
		}
		stopAll(t, system, workers...)
		router := actor.NewPID(system.Address(), "parent/pool/router")
		if !alive(system, router) {
			t.Error("the router's actor has ended")
		}
		stopAll(t, system, router)
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		pool := supervisor.Spec{Children: []supervisor.ChildSpec{{Name: "one", Props: noting(j)}, {Name: "two", Props: noting(j)}}}
		parent, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "parent", Children: []supervisor.ChildSpec{{Name: "pool", Supervisor: &pool}}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		stopAll(t, system, parent)
		if want := []string{"started one 1", "started two 1", "stopped two 1", "stopped one 1"}; !slices.Equal(j.since(0), want) {
			t.Errorf("%q, want %q", j.since(0), want)
		}
	})
}
