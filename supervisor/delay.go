package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// How a delayed restart stays safe. Two things can go wrong with a timer that sends a Restart: it finds a successor of the same name, or it
// finds the child after its Stop, and the library then resurrects what was stopping.
//
//  1. The timer sends nothing to the child. It hands its restartDue, as the reason of an actor.Failure, to the parent's process (the object,
//     not the name: it cannot reach a successor of the parent). The library then calls the strategy on the parent's goroutine, where
//     Terminated and Stopping are handled too, so what Observe noted before is known there, and a canceled or replaced due is not the
//     child's pending one any more.
//  2. The Restart goes to the process object that failed, and only while the registry still has that very object under its name. So it can
//     never reach a successor: that one has a process of its own.
//  3. A Stop from elsewhere that crosses the Restart on its way is the one case left. The parent cannot see it coming; the child's guard
//     can, and keeps it stopped (see Guard). For an unguarded child it remains as likely as with the library's own strategies.
type restartDue struct {
	timer *time.Timer

	// What is said of it when it happens.
	failure   *Failure
	directive Directive
	delay     time.Duration
	left      int
}

// schedule starts the timer of a delayed restart; false if there is no parent to come back to (in a guardian, which is no actor).
func (v *verdict) schedule(delay time.Duration, left int) bool {
	ctx, ok := v.supervisor.(actor.Context)
	if !ok {
		return false
	}
	self := ctx.Self()
	parent, ok := v.system.ProcessRegistry.Get(self)
	if !ok {
		return false
	}
	due := &restartDue{failure: v.failure, directive: v.directive, delay: delay, left: left}
	child := v.child
	v.strategy.mu.Lock()
	defer v.strategy.mu.Unlock()
	due.timer = time.AfterFunc(delay, func() {
		parent.SendSystemMessage(self, &actor.Failure{Who: child, Reason: due})
	})
	v.state.pending = due
	return true
}

// restartNow is the end of a delay, on the parent's goroutine.
func (s *Strategy) restartNow(system *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, due *restartDue) {
	s.mu.Lock()
	c := s.children[child.GetId()]
	if c == nil || c.pending != due {
		s.mu.Unlock()
		return
	}
	c.pending = nil
	if !c.alive(system) {
		s.drop(c)
		s.mu.Unlock()
		return
	}
	c.incarnation++
	incarnation, process := c.incarnation, c.process
	s.mu.Unlock()
	e := Event{
		Time: s.now(), Kind: Restarted, Path: child.Id, Failure: due.failure, Directive: due.directive, Delay: due.delay,
		BudgetLeft: due.left, Incarnation: incarnation,
	}
	before, after := s.group(siblings(supervisor), child)
	s.restartBeside(system, before, e)
	process.SendSystemMessage(child, &actor.Restart{})
	s.Events.Publish(e)
	s.restartBeside(system, after, e)
}
