package supervisor

import (
	"cmp"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// cascadeDue is a draining actor's message to itself: the deadline has come, or the grace after it is over.
type cascadeDue struct{ over bool }

func (s *cascadeState) arm(ctx actor.ReceiverContext, delay time.Duration, due *cascadeDue) {
	self := ctx.Self()
	// The process, not the name: a timer that fires late cannot reach a successor.
	process, ok := ctx.ActorSystem().ProcessRegistry.Get(self)
	if !ok {
		return
	}
	s.disarm()
	s.deadline = time.AfterFunc(delay, func() { process.SendUserMessage(self, due) })
}

func (s *cascadeState) disarm() {
	if s.deadline != nil {
		s.deadline.Stop()
		s.deadline = nil
	}
}

func (s *cascadeState) onDue(ctx actor.ReceiverContext, due *cascadeDue) {
	if s.stopping {
		return
	}
	left := s.left()
	if due.over {
		s.giveUp(ctx, left)
		return
	}
	s.tellForced(left)
	for _, child := range left {
		child.poisoned = true
		ctx.ActorSystem().Root.Stop(child.pid)
	}
	s.plan, s.waiting = []*cascadeChild{}, len(left)
	grace := s.cascade.Grace
	if grace <= 0 {
		grace = DefaultGrace
	}
	s.arm(ctx, grace, &cascadeDue{over: true})
}

// left is the children that have not terminated, the last one started first.
func (s *cascadeState) left() []*cascadeChild {
	left := make([]*cascadeChild, 0, len(s.children))
	for _, child := range s.children {
		left = append(left, child)
	}
	slices.SortFunc(left, func(a, b *cascadeChild) int { return cmp.Compare(b.number, a.number) })
	return left
}

func (s *cascadeState) tellForced(left []*cascadeChild) {
	for _, child := range left {
		s.cascade.Events.Publish(Event{Kind: Forced, Path: child.pid.Id})
	}
}

// giveUp tells the library that the children have terminated, as it would wait for them for ever. The actor hears the same.
func (s *cascadeState) giveUp(ctx actor.ReceiverContext, left []*cascadeChild) {
	self, ok := ctx.ActorSystem().ProcessRegistry.Get(ctx.Self())
	for _, child := range left {
		s.cascade.Events.Publish(Event{Kind: GivenUp, Path: child.pid.Id})
		if ok {
			self.SendSystemMessage(ctx.Self(), &actor.Terminated{Who: child.pid})
		}
	}
}
