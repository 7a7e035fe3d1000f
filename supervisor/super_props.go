package supervisor

import (
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
	return propsOf(s).Configure(opts...)
}

// Spawn starts a supervisor at the root, under its Name if it has one, or returns why it cannot. It does not wait for the children: see AwaitStart.
func Spawn(root *actor.RootContext, s Spec) (*actor.PID, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	name := s.Name
	if name == "" {
		name = root.ActorSystem().ProcessRegistry.NextId()
	}
	return root.SpawnNamed(propsOf(s), name)
}

func propsOf(s Spec) *actor.Props {
	if s.Now == nil {
		s.Now = time.Now
	}
	return actor.PropsFromProducer(func() actor.Actor { return newSupervisor(&s) }, actor.WithMailbox(newMailbox))
}
