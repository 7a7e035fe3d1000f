package supervisor_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// asker waits for what it is told to wait for, and notes what it hears.
type asker struct {
	number int
	ctx    context.Context
	heard  chan string
	cancel func()
}

func (a *asker) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.PID:
		a.cancel = supervisor.AwaitAsync(a.ctx, ctx, "id of "+m.Id, m)
	case *actor.Props: // a child
		pid, err := ctx.SpawnNamed(m, "child")
		if err != nil {
			panic(err)
		}
		supervisor.AwaitAsync(a.ctx, ctx, "child", pid)
		ctx.Send(pid, &actor.PoisonPill{})
	case *actor.Terminated:
		a.heard <- fmt.Sprintf("%d: terminated %s", a.number, m.Who.Id)
	case supervisor.Awaited:
		a.heard <- fmt.Sprintf("%d: %v ended, %d, %v", a.number, m.ID, len(m.PIDs), m.Err)
	case failNow:
		panic(m.value)
	case string:
		a.cancel()
		a.cancel()
	}
}

func askers(ctx context.Context, system *actor.ActorSystem) (*actor.PID, chan string) {
	heard, number := make(chan string, 100), 0
	pid, _ := system.Root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor {
		number++
		return &asker{number: number, ctx: ctx, heard: heard}
	}, supervisor.WithGuard(nil, nil)), "asker")
	return pid, heard
}

func TestAwaitAsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		before := processes(system)
		target, _ := system.Root.SpawnNamed(actor.PropsFromFunc(sleeper), "target")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		pid, heard := askers(ctx, system)
		want := func(line string) {
			t.Helper()
			synctest.Wait()
			select {
			case got := <-heard:
				if got != line {
					t.Errorf("heard %q, want %q", got, line)
				}
			default:
				if line != "" {
					t.Errorf("heard nothing, want %q", line)
				}
			}
		}
		system.Root.Send(pid, target)
		want("")
		system.Root.Send(pid, failNow{"boom"}) // the next incarnation is told
		want("")
		system.Root.Stop(target)
		want("2: id of target ended, 1, <nil>")
		system.Root.Send(pid, target)
		want("2: id of target ended, 1, <nil>") // at once
		system.Root.Send(pid, actor.PropsFromFunc(sleeper))
		synctest.Wait()
		lines := []string{<-heard, <-heard}
		if !slices.Equal(lines, []string{"2: terminated asker/child", "2: child ended, 1, <nil>"}) {
			t.Errorf("of a child it heard %q", lines)
		}
		want("")

		other, _ := system.Root.SpawnNamed(actor.PropsFromFunc(sleeper), "other")
		system.Root.Send(pid, other)
		system.Root.Send(pid, "cancel")
		synctest.Wait()
		system.Root.Stop(other)
		want("")
		other, _ = system.Root.SpawnNamed(actor.PropsFromFunc(sleeper), "other")
		system.Root.Send(pid, other)
		time.Sleep(time.Hour)
		want("2: id of other ended, 1, supervisor: waiting for the end of other: context deadline exceeded")
		if n := processes(system); n != before+2 {
			t.Errorf("%d processes, want %d", n, before+2)
		}
		if err := supervisor.StopAndAwait(t.Context(), system, pid, other); err != nil {
			t.Error(err)
		}
		settle()
	})
}

// Nothing stays of a wait whose actor has ended itself.
func TestAwaitAsyncOfTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		lost, before := deadLetters(system), processes(system)
		target := system.Root.Spawn(actor.PropsFromFunc(sleeper))
		pid, heard := askers(context.Background(), system)
		for range 3 {
			system.Root.Send(pid, target)
		}
		synctest.Wait()
		if n := processes(system); n != before+5 {
			t.Errorf("%d processes while it waits, want %d", n, before+5)
		}
		system.Root.Poison(pid)
		synctest.Wait()
		if n := processes(system); n != before+1 {
			t.Errorf("%d processes after its end, want %d", n, before+1)
		}
		system.Root.Stop(target)
		synctest.Wait()
		nothing(t, heard, "an answer to nobody")
		if lost.Load() != 0 {
			t.Errorf("%d dead letters", lost.Load())
		}
		last := make(chan struct{})
		pid = system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Stopped); ok {
				supervisor.AwaitAsync(context.Background(), ctx, 1, ctx.Self())()
				close(last)
			}
		}))
		system.Root.Stop(pid)
		<-last
		settle()
	})
}
