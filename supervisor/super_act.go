package supervisor

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// feed tells the core something and does what it wants. The lock is not held while that is done, as it may run other actors' code.
func (s *supervisor) feed(ctx actor.Context, input func(now time.Time) []act) {
	for _, a := range s.decide(input) {
		s.act(ctx, a)
	}
}

// decide lets go of the lock even if Rand panics: then the supervisor fails, and whoever restarts it has to get at its core.
func (s *supervisor) decide(input func(now time.Time) []act) []act {
	now := s.spec.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return input(now)
}

func (s *supervisor) act(ctx actor.Context, a act) {
	switch a.do {
	case doStart:
		s.start(ctx, a)
	case doResume:
		memberOf(a).link.tell(&actor.ResumeMailbox{})
	case doStop:
		s.stop(ctx, a)
	case doKill:
		s.kill(ctx, a)
	case doArm:
		s.arm(a)
	case doDisarm:
		s.disarm(a)
	case doPublish:
		s.publish(a.event)
	case doReply:
		s.reply(ctx, a)
	case doForget:
	case doReady:
		s.ready(ctx)
	case doFinish:
		s.finish(ctx, a)
	}
}

func memberOf(a act) *member { return a.child.rule.ref.(*member) }

func (s *supervisor) start(ctx actor.Context, a act) {
	m := memberOf(a)
	if a.inPlace {
		m.link.tell(&actor.Restart{})
		return
	}
	l, err := m.spawn(ctx, s.process, a.child.key, s.spec)
	if err != nil {
		s.process.SendSystemMessage(ctx.Self(), &spawnFailed{key: a.child.key, failure: failureOf(err, (*actor.Started)(nil))})
		return
	}
	s.setLink(m, l)
	s.children[l.pid.Id] = m
	if l.mailbox == nil {
		l.signal(&childStarted{link: l}) // its spawner makes its own mailbox: nobody can tell when it has started
	}
}

func (s *supervisor) stop(ctx actor.Context, a act) {
	if a.mode == stopKill {
		s.kill(ctx, a)
		return
	}
	if m := memberOf(a); m.link != nil {
		m.link.stop(a.mode == stopDrain)
	}
}

// kill abandons a child. A supervisor does not hang, and is told to kill its own children, down to those that may.
func (s *supervisor) kill(ctx actor.Context, a act) {
	m := memberOf(a)
	switch {
	case m.link == nil:
	case m.link.nested:
		m.link.tell(&toldToStop{mode: stopKill})
	default:
		m.link.abandon()
		// The library has to take it off its list of our children.
		s.process.SendSystemMessage(ctx.Self(), &actor.Terminated{Who: m.link.pid})
	}
}

func (s *supervisor) arm(a act) {
	timer := &s.planTime
	fired := &timerFired{timer: a.timer}
	if a.child != nil {
		timer, fired.key = &memberOf(a).timer, a.child.key
	}
	if *timer != nil {
		(*timer).Stop()
	}
	process := s.process
	*timer = time.AfterFunc(a.delay, func() { process.SendSystemMessage(nil, fired) })
}

func (s *supervisor) disarm(a act) {
	timer := &s.planTime
	if a.child != nil {
		timer = &memberOf(a).timer
	}
	if *timer != nil {
		(*timer).Stop()
		*timer = nil
	}
}

func (s *supervisor) publish(e Event) {
	e.Path = s.path + "/" + e.Path
	s.spec.Events.Publish(e)
}

func (s *supervisor) reply(ctx actor.Context, a act) {
	to := s.waiting[a.request]
	delete(s.waiting, a.request)
	var pid *actor.PID
	if a.child != nil && a.err == nil {
		if m := memberOf(a); m.link != nil {
			pid = m.link.pid
		}
	}
	s.answer(ctx.ActorSystem(), to, pid, a.err)
}

func (s *supervisor) answer(system *actor.ActorSystem, to asked, pid *actor.PID, err error) {
	if to.sender == nil {
		return
	}
	if err != nil {
		err = &ChildError{Op: to.op.String(), Child: to.name, Err: err}
	}
	system.Root.Send(to.sender, ChildReply{Name: to.name, PID: pid, Err: err})
}

func (s *supervisor) ready(ctx actor.Context) {
	s.answerStarters(ctx)
	s.tellStart(nil)
	if s.own != nil {
		s.own.signal(&childStarted{link: s.own})
	}
}

// finish ends the supervisor, which has no children any more.
func (s *supervisor) finish(ctx actor.Context, a act) {
	s.finished = true
	cause := s.cause(a)
	if len(s.starters) > 0 || s.onStart != nil {
		if s.startErr = cause; cause == nil {
			s.startErr = ErrStopping
		}
		s.answerStarters(ctx)
		s.tellStart(s.startErr)
	}
	e := Event{Time: s.spec.Now(), Kind: Ended, Path: s.path, Reason: a.reason, Failure: a.failure}
	if a.reason == 0 {
		e.Reason = ReasonShutdown
		if s.core.mode == stopKill {
			e.Reason = ReasonKilled
		}
	}
	s.spec.Events.Publish(e)
	switch {
	case s.own != nil && cause != nil:
		s.own.exitWith(cause)
	case s.own == nil && !s.told && ctx.Parent() != nil && (a.reason == ReasonBudgetSpent || a.reason == ReasonFailed):
		s.escalated = true
		ctx.(actor.Supervisor).EscalateFailure(failureOf(cause, (*actor.Started)(nil)), nil)
		return
	}
	last := any(&actor.Stop{})
	if s.restart {
		last = &actor.Restart{}
	}
	s.process.SendSystemMessage(ctx.Self(), &endNow{last})
}

func (s *supervisor) tellStart(err error) {
	if s.onStart != nil {
		s.onStart(err)
	}
}

// cause is why it ends, for its parent; nil: as it was told.
func (s *supervisor) cause(a act) error {
	switch {
	case a.reason == ReasonBudgetSpent && a.failure != nil:
		return fmt.Errorf("%w; the last failure: %w", ErrBudgetSpent, a.failure)
	case a.reason == ReasonBudgetSpent:
		return ErrBudgetSpent
	case a.reason == ReasonShutdown:
		return ErrShutdown
	case a.failure != nil:
		return a.failure
	case s.core.mode == stopKill:
		return ErrKilled
	}
	return nil
}
