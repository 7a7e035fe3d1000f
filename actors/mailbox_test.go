package actors

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// rig is one actor with our mailbox, under a parent that restarts it whenever it fails.
type rig struct {
	t       testing.TB
	system  *actor.ActorSystem
	mailbox *Mailbox
	pid     *actor.PID
	idle    chan struct{} // hears each OnIdle
	started chan int      // hears the number of each incarnation
	failed  chan any      // hears the reason of each failure
	stopped chan struct{}
}

// newRig spawns the actor, and waits until it has come to rest. The test's own messages are functions, which the actor
// calls.
func newRig(t testing.TB, mailbox *Mailbox, guarded bool, other func(message any)) *rig {
	t.Helper()
	r := &rig{
		t: t, system: newSystem(), mailbox: mailbox,
		idle: make(chan struct{}, 1000), started: make(chan int, 1000), failed: make(chan any, 1000), stopped: make(chan struct{}),
	}
	if mailbox.OnIdle == nil {
		mailbox.OnIdle = func() { r.idle <- struct{}{} }
	}
	tracker := new(supervisor.Tracker)
	incarnations := 0
	receive := func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case func():
			m()
		case *actor.Started:
			r.started <- incarnations
		case *actor.Stopped:
			close(r.stopped)
		default:
			if other != nil {
				other(m)
			}
		}
	}
	props := actor.PropsFromProducer(
		func() actor.Actor {
			incarnations++
			if guarded {
				return supervisor.Guard(actor.ReceiveFunc(receive), nil)
			}
			return actor.ReceiveFunc(receive)
		},
		actor.WithMailbox(func() actor.Mailbox { return mailbox }),
		actor.WithDispatcher(supervisor.NewDispatcher(0, tracker)),
	)
	pids, parentStopped := make(chan *actor.PID, 1), make(chan struct{})
	parent := r.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			pids <- ctx.Spawn(props)
		case *actor.Stopped:
			close(parentStopped)
		}
	}, actor.WithSupervisor(restarting{r.failed})))
	r.pid = await(t, pids, "the actor to be spawned")
	await(t, r.started, "the actor to start")
	r.rest()
	t.Cleanup(func() {
		r.system.Root.Stop(parent)
		await(t, parentStopped, "the parent to stop")
		r.system.Shutdown()
		if err := tracker.Wait(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return r
}

// restarting is a strategy that tells of each failure and restarts the child.
type restarting struct{ failed chan any }

func (s restarting) HandleFailure(_ *actor.ActorSystem, parent actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	s.failed <- reason
	parent.RestartChildren(child)
}

// rest waits until the actor has come to rest once more.
func (r *rig) rest() {
	r.t.Helper()
	await(r.t, r.idle, "the actor to come to rest")
}

func (r *rig) run(message any) {
	r.t.Helper()
	if !r.mailbox.TryRun(message) {
		r.t.Fatal("TryRun did nothing, and the actor is at rest")
	}
}

// suspend suspends the mailbox, and returns what resumes it.
func (r *rig) suspend() (resume func()) {
	r.t.Helper()
	// What comes after the suspension has been handled once the suspension has.
	r.mailbox.PostSystemMessage(&actor.SuspendMailbox{})
	reached := make(chan struct{})
	r.mailbox.PostSystemMessage(&actor.Watch{Watcher: r.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {}))})
	r.mailbox.PostSystemMessage(onSystem(func() { close(reached) }))
	await(r.t, reached, "the suspension")
	return func() { r.mailbox.PostSystemMessage(&actor.ResumeMailbox{}) }
}
