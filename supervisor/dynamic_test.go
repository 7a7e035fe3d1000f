package supervisor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// A dynamic supervisor's template may leave the shutdown time out. Then a worker has five seconds and a supervisor as long as it takes, also when they
// stop together, whichever was started first.
func TestDynamicTimesOut(t *testing.T) {
	for _, first := range []string{"worker", "supervisor"} {
		t.Run(first+" first", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system, hub := newSystem(), supervisor.NewHub()
				events := collect(hub)
				gate := make(chan struct{})
				hanging := actor.PropsFromFunc(func(ctx actor.Context) {
					if _, ok := ctx.Message().(*actor.Stopping); ok {
						<-gate
					}
				})
				slow := actor.PropsFromFunc(func(ctx actor.Context) {
					if _, ok := ctx.Message().(*actor.Stopping); ok {
						time.Sleep(20 * time.Second)
					}
				})
				worker := supervisor.StartChild{Child: supervisor.ChildSpec{Name: "worker", Props: hanging}}
				nested := supervisor.StartChild{Child: supervisor.ChildSpec{Name: "nested", Supervisor: &supervisor.Spec{
					Children: []supervisor.ChildSpec{{Name: "slow", Props: slow, Shutdown: time.Minute}},
				}}}
				top, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "top", Strategy: supervisor.Dynamic, Events: hub})
				if err != nil {
					t.Fatal(err)
				}
				starts := []supervisor.StartChild{worker, nested}
				if first == "supervisor" {
					starts = []supervisor.StartChild{nested, worker}
				}
				for _, start := range starts {
					if reply := request(t, system, top, start).(supervisor.ChildReply); reply.Err != nil {
						t.Fatal(reply.Err)
					}
				}
				began := time.Now()
				system.Root.Stop(top)
				time.Sleep(time.Hour)
				if alive(system, top) {
					t.Error("it does not end")
				}
				close(gate)
				settle()
				ends := map[string]string{}
				for _, e := range events() {
					switch e.Kind {
					case supervisor.Stopped, supervisor.Killed, supervisor.Ended:
						ends[e.Path] = e.Kind.String() + " after " + e.Time.Sub(began).String()
					}
				}
				for path, want := range map[string]string{
					"top/worker": "killed after 5s", "top/nested/slow": "stopped after 20s", "top/nested": "stopped after 20s", "top": "ended after 20s",
				} {
					if ends[path] != want {
						t.Errorf("%s: %s, want %s", path, ends[path], want)
					}
				}
			})
		})
	}
}
