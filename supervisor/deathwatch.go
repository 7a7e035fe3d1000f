package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// ErrUnreachable is what Await returns for an actor of another node, if the library has given that node up: it may live on.
var ErrUnreachable = errors.New("supervisor: the actor's node is unreachable")

// AwaitError says which actors had not ended when a wait was given up.
type AwaitError struct {
	Left []*actor.PID // in the order in which they were given
	Err  error        // why: the context's error, or ErrUnreachable
}

// Error names the first five of the actors, and the cause.
func (e *AwaitError) Error() string {
	const shown = 5
	var names []string
	for _, pid := range e.Left[:min(len(e.Left), shown)] {
		names = append(names, pid.Id)
	}
	if more := len(e.Left) - shown; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("supervisor: waiting for the end of %s: %v", strings.Join(names, ", "), e.Err)
}

// Unwrap returns Err.
func (e *AwaitError) Unwrap() error { return e.Err }

// Await waits until every one of the actors has ended, its Stopped handled. One that the system's registry does not know (any more) has; if it
// left the registry just before, its Stopped may still be running. If ctx ends first, the error is an *AwaitError. A restart is not an end, and
// an actor that gets the name of one that ended is another.
//
// It watches, as an actor does, but is none: nothing stays behind in the actors or in the system when it returns. It may be called on any
// goroutine but one that the actors need to end: not in a Receive, where AwaitAsync is the way. The actors may be children of whoever waits,
// who is told of their end as ever, once.
//
// An actor that is stopping already answers everyone who watches it at once, so that one is asked again, every millisecond at first and at
// last every tenth of a second. One whose Stopped panics without a guard never tells those who had watched it before, and is waited for in vain.
func Await(ctx context.Context, system *actor.ActorSystem, pids ...*actor.PID) error {
	return await(ctx, system, pids, nil)
}

// StopAndAwait stops the actors, at once and without what waits in their mailboxes, and waits for their end as Await does. A successor that gets
// the name of one of them meanwhile is not touched.
func StopAndAwait(ctx context.Context, system *actor.ActorSystem, pids ...*actor.PID) error {
	return await(ctx, system, pids, func(process actor.Process, pid *actor.PID) { process.Stop(pid) })
}

// PoisonAndAwait poisons the actors, so that they handle first what waits in their mailboxes, and waits for their end as Await does. A pill waits
// too, behind an actor that hangs or is suspended: follow up with StopAndAwait for what is Left in the error.
func PoisonAndAwait(ctx context.Context, system *actor.ActorSystem, pids ...*actor.PID) error {
	return await(ctx, system, pids, func(process actor.Process, pid *actor.PID) {
		process.SendUserMessage(pid, &actor.PoisonPill{})
	})
}

// Awaited answers AwaitAsync.
type Awaited struct {
	ID   any          // as it was given
	PIDs []*actor.PID // as they were given
	Err  error        // nil if all of them have ended; else an *AwaitError
}

// AwaitAsync is Await for an actor, which must not wait in its Receive: it returns at once, and the actor gets an Awaited with that id as an
// ordinary message, behind those that are in its mailbox. The id says which call it answers: after a restart it comes to the new incarnation,
// which knows nothing of the call, and there is no closure that could act on what has gone. The actors that are waited for may be its own
// children; watching a child with the library's Watch would tell the parent twice.
//
// It costs a goroutine until the actors have ended, or the waiting actor has, or ctx ends, or cancel is called: give a deadline to what may
// never end. After cancel no Awaited is sent, but one may be on its way. It is called on the waiting actor's goroutine, cancel on any.
func AwaitAsync(ctx context.Context, waiting actor.Context, id any, pids ...*actor.PID) (cancel func()) {
	system, self := waiting.ActorSystem(), waiting.Self()
	process, alive := system.ProcessRegistry.Get(self)
	if !alive { // in its Stopped
		return func() {}
	}
	canceled := make(chan struct{})
	pids = slices.Clone(pids)
	a := newAwaiter(system, pids)
	a.canceled, a.waiting = canceled, a.add(self)
	a.begin(nil)
	go func() {
		err := a.wait(ctx)
		select {
		case <-canceled:
			return
		default:
		}
		if !errors.Is(err, errNobodyWaits) {
			// To the process, not the name: it never reaches a successor.
			process.SendUserMessage(self, Awaited{ID: id, PIDs: pids, Err: err})
		}
	}()
	return sync.OnceFunc(func() { close(canceled) })
}

func await(ctx context.Context, system *actor.ActorSystem, pids []*actor.PID, act func(actor.Process, *actor.PID)) error {
	a := newAwaiter(system, pids)
	a.begin(act)
	return a.wait(ctx)
}
