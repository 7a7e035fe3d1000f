package supervisor_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// An actor that ends itself in Started has not started, as one whose init returns stop in OTP: whoever asked for it hears why, and it is not
// added.
func TestExitInStarted(t *testing.T) {
	boom := errors.New("boom")
	for name, reason := range map[string]error{"normal": nil, "failed": boom, "shutdown": supervisor.ErrShutdown} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system, hub := newSystem(), supervisor.NewHub()
				events := collect(hub)
				child := actor.PropsFromFunc(func(ctx actor.Context) {
					if _, ok := ctx.Message().(*actor.Started); ok {
						supervisor.Exit(ctx, reason)
					}
				})
				top, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "top", Events: hub})
				if err != nil {
					t.Fatal(err)
				}
				reply := request(t, system, top, supervisor.StartChild{Child: supervisor.ChildSpec{Name: "a", Props: child}}).(supervisor.ChildReply)
				want := reason
				if reason != boom {
					want = supervisor.ErrExited
				}
				if !errors.Is(reply.Err, want) {
					t.Errorf("answered with %v", reply.Err)
				}
				synctest.Wait()
				if list := request(t, system, top, supervisor.GetChildren{}).(supervisor.Children).List; len(list) != 0 {
					t.Errorf("%+v", list)
				}
				stopAll(t, system, top)
				settle()
				list := events()
				if len(list) != 2 || list[0].Kind != supervisor.StartFailed || list[1].Kind != supervisor.Ended {
					t.Errorf("%+v", list)
				}
			})
		})
	}
}
