package supervisor

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Props makes props of a supervisor that is declared by s. They may be used by any actor, for any number of children: as ChildSpec.Props,
// under a parent of any other kind, or at the root. It panics with what Validate returns.
//
// Whoever tells the supervisor to stop, by Stop or PoisonPill, makes it stop its children in reverse order first, each within its time; a
// PoisonPill lets each of them handle what is in its mailbox. Under a supervisor of this package it ends with a Reason. Under another parent,
// a spent budget and a failed start are failures, which the parent's strategy decides about when all children have stopped: Restart starts everything
// anew, Stop and Resume stop it. At the root it stops.
//
// The props must not be given another mailbox.
func (s Spec) Props(opts ...actor.PropsOption) *actor.Props {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	return propsOf(s, nil).Configure(opts...)
}

// Spawn starts a supervisor at the root, under its Name if it has one, or returns why it cannot. It does not wait for the children: see
// SpawnAndAwait.
func Spawn(root *actor.RootContext, s Spec) (*actor.PID, error) { return spawn(root, s, nil) }

// SpawnAndAwait is Spawn, and waits until all children have started. If that fails, it waits until the supervisor has ended, and returns what it
// ended with: a *Failure that wraps a *StartError, for a child that failed to start; ErrStopping, if somebody has stopped the supervisor. If
// ctx ends first, it tells the supervisor to stop and returns the error of ctx. It must not be called in a Receive.
//
// (To ask a supervisor that was spawned with AwaitStart may come too late: one that has failed to start at the root is gone, and so is the reason.)
func SpawnAndAwait(ctx context.Context, root *actor.RootContext, s Spec) (*actor.PID, error) {
	started := make(chan error, 1)
	pid, err := spawn(root, s, func(err error) {
		select {
		case started <- err:
		default: // it had started, and has ended
		}
	})
	if err != nil {
		return nil, err
	}
	select {
	case err = <-started:
		if err == nil {
			return pid, nil
		}
		_ = Await(ctx, root.ActorSystem(), pid) // it has no child any more; err says more than that ctx has ended
	case <-ctx.Done():
		err = ctx.Err()
		root.Stop(pid)
	}
	return nil, err
}

func spawn(root *actor.RootContext, s Spec, onStart func(error)) (*actor.PID, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	name := s.Name
	if name == "" {
		name = root.ActorSystem().ProcessRegistry.NextId()
	}
	return root.SpawnNamed(propsOf(s, onStart), name)
}

// propsOf makes props. onStart, if there is one, is told on the supervisor's goroutine that all children have started, with nil, and of each end.
func propsOf(s Spec, onStart func(error)) *actor.Props {
	if s.Now == nil {
		s.Now = time.Now
	}
	return actor.PropsFromProducer(func() actor.Actor {
		super := newSupervisor(&s)
		super.onStart = onStart
		return super
	}, actor.WithMailbox(newMailbox))
}
