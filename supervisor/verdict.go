package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// verdict is one decision of a strategy about one failure, while it is carried out on the parent's goroutine.
type verdict struct {
	strategy    *Strategy
	system      *actor.ActorSystem
	supervisor  actor.Supervisor
	child       *actor.PID
	state       *childState // nil if the child has died
	failure     *Failure
	message     any // as the library gave it, to escalate with
	directive   Directive
	incarnation int // that failed
	now         time.Time
}

func (v *verdict) publish(e Event) {
	e.Time, e.Path, e.Failure, e.Directive = v.now, v.child.Id, v.failure, v.directive
	if e.Incarnation == 0 {
		e.Incarnation = v.incarnation
	}
	v.strategy.Events.Publish(e)
}

func (v *verdict) restart(later bool) {
	s := v.strategy
	exempt := s.Exempt != nil && s.Exempt(v.child, v.failure)
	left, ok := s.spend(v.state, exempt, v.now)
	if !ok {
		v.publish(Event{Kind: BudgetSpent})
		if s.PerChild {
			v.stop()
		} else {
			v.upward(s.OnSpent)
		}
		return
	}
	if later {
		if delay := v.state.backoff.Next(v.now, s.rand); delay > 0 && v.schedule(delay, left) {
			v.publish(Event{Kind: RestartDelayed, Delay: delay, BudgetLeft: left})
			return
		}
	}
	s.mu.Lock()
	v.state.incarnation++
	s.mu.Unlock()
	before, after := s.group(siblings(v.supervisor), v.child)
	beside := Event{Time: v.now, Kind: Restarted, Failure: v.failure, Directive: v.directive, BudgetLeft: left}
	s.restartBeside(v.system, before, beside)
	v.supervisor.RestartChildren(v.child)
	v.publish(Event{Kind: Restarted, BudgetLeft: left, Incarnation: v.incarnation + 1})
	s.restartBeside(v.system, after, beside)
}

func (v *verdict) stop() {
	v.strategy.Forget(v.child)
	v.supervisor.StopChildren(v.child)
	v.publish(Event{Kind: Stopped})
}

func (v *verdict) upward(to Upward) {
	v.strategy.Forget(v.child)
	v.publish(Event{Kind: Escalated})
	if to != nil {
		to(v.system, v.supervisor, v.child, v.failure)
		return
	}
	// The child is stopped in any case, so that whatever the grandparent decides, Resume included, leaves no child suspended for ever.
	v.supervisor.StopChildren(v.child)
	switch ctx, ok := v.supervisor.(actor.Context); {
	case !ok: // a guardian: its EscalateFailure panics, on the child's goroutine, outside of any recover
	case ctx.Parent() == nil:
		ctx.Poison(ctx.Self())
	default:
		v.supervisor.EscalateFailure(v.failure, v.message)
	}
}
