package supervisor_test

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"github.com/understudy-go/understudy/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(10*time.Millisecond)) // its goroutine outlives the test by as much
}

// patience bounds a wait for something that is bound to come; only a broken test waits as long.
const patience = 10 * time.Second

func receive[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

func nothing[T any](t *testing.T, ch <-chan T, what string) {
	t.Helper()
	select {
	case v := <-ch:
		t.Errorf("%s: got %v, want nothing", what, v)
	default:
	}
}

// watch returns a channel that gets the id of each of the watched actors when it terminates.
func watch(system *actor.ActorSystem, pids ...*actor.PID) <-chan string {
	terminated := make(chan string, 100)
	ready := make(chan struct{})
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			for _, pid := range pids {
				ctx.Watch(pid)
			}
			close(ready)
		case *actor.Terminated:
			terminated <- m.Who.Id
		}
	}))
	<-ready
	return terminated
}

// reports collects what a guard reports.
type reports struct {
	mu   sync.Mutex
	list []*supervisor.Failure
}

func (r *reports) add(_ *actor.PID, f *supervisor.Failure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, f)
}

func (r *reports) all() []*supervisor.Failure {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*supervisor.Failure(nil), r.list...)
}

// collect subscribes to a hub; the function it returns ends the subscription and returns the events.
func collect(hub *supervisor.Hub) func() []supervisor.Event {
	var events []supervisor.Event
	cancel := hub.Subscribe(10_000, func(e supervisor.Event) { events = append(events, e) })
	return func() []supervisor.Event {
		cancel()
		return events
	}
}

func kinds(events []supervisor.Event) []supervisor.Kind {
	var list []supervisor.Kind
	for _, e := range events {
		list = append(list, e.Kind)
	}
	return list
}

// parentOf makes props of an actor that spawns one child of each props, named "child-0" and so on, hands their PIDs out, and answers nothing.
// terminated (may be nil) gets the id of each child that terminates.
func parentOf(pids chan<- []*actor.PID, terminated chan<- string, opts []actor.PropsOption, children ...*actor.Props) *actor.Props {
	return actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			var list []*actor.PID
			for i, props := range children {
				pid, err := ctx.SpawnNamed(props, "child-"+string(rune('0'+i)))
				if err != nil {
					panic(err)
				}
				list = append(list, pid)
			}
			pids <- list
		case *actor.Terminated:
			if terminated != nil {
				terminated <- m.Who.Id
			}
		}
	}, opts...)
}
