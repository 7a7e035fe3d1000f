package supervisor_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// However long a start or a stop takes, no more than so many requests wait for it; the others are refused at once, and those that wait are answered.
func TestRequestsThatWaitAreBounded(t *testing.T) {
	const bound, more = 1024, 3
	for _, c := range []struct {
		name    string
		hangs   any // where the child does
		message any
		err     error // of those that have waited
	}{
		{"a start, requests", &actor.Started{}, supervisor.StopChild{Name: "nobody"}, supervisor.ErrNotFound},
		{"a start, who awaits it", &actor.Started{}, supervisor.AwaitStart{}, nil},
		{"a stop", &actor.Stopping{}, supervisor.DeleteChild{Name: "a"}, supervisor.ErrNotFound}, // the first deletes it
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system, gate := newSystem(), make(chan struct{})
				child := actor.PropsFromFunc(func(ctx actor.Context) {
					_, started := ctx.Message().(*actor.Started)
					_, stopping := ctx.Message().(*actor.Stopping)
					_, first := c.hangs.(*actor.Started)
					if started && first || stopping && !first {
						<-gate
					}
				})
				top, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "top", Children: []supervisor.ChildSpec{
					{Name: "a", Props: child, Shutdown: supervisor.Infinite},
				}})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if _, stop := c.hangs.(*actor.Stopping); stop {
					system.Root.Send(top, supervisor.StopChild{Name: "a"})
				}
				var answers []*actor.Future
				for range bound + more {
					answers = append(answers, system.Root.RequestFuture(top, c.message, time.Hour))
				}
				synctest.Wait()
				close(gate)
				synctest.Wait()
				busy, waited := 0, 0
				for _, f := range answers {
					answer, err := f.Result()
					if err != nil {
						t.Fatal(err)
					}
					switch err := answer.(supervisor.ChildReply).Err; {
					case errors.Is(err, supervisor.ErrBusy):
						busy++
					case errors.Is(err, c.err), err == nil:
						waited++
					default:
						t.Fatal(err)
					}
				}
				if busy != more || waited != bound {
					t.Errorf("%d were refused, %d waited", busy, waited)
				}
				stopAll(t, system, top)
				settle()
			})
		})
	}
}
