package supervisor

// exited: a running child has failed or is gone, and was not told to.
func (c *core) exited(ch *child, x exit) {
	if x.failure != nil {
		ch.last = x.failure
	}
	if x.directive == Resume {
		ch.husk = false
		c.publish(ch, Event{Kind: Failed, Failure: x.failure, Directive: Resume})
		c.do(act{do: doResume, child: ch})
		c.publish(ch, Event{Kind: Resumed, Failure: x.failure, Directive: Resume})
		return
	}
	c.publish(ch, Event{Kind: Exited, Reason: x.reason, Failure: x.failure, Directive: x.directive})
	ch.state, ch.exit = ChildExited, x
	if c.phase == phaseEnding {
		// Its turn to stop has not come yet; then its actor is taken away without a further word.
		return
	}
	c.enqueue(item{kind: itemExit, child: ch})
	c.pump()
}

// onExit decides what becomes of a child that has ended by itself.
func (c *core) onExit(ch *child) {
	if ch.state != ChildExited {
		return // a plan has stopped it meanwhile, and OTP takes such an exit as that
	}
	switch ch.exit.directive {
	case Restart, RestartLater:
		c.restart(ch)
	case Stop:
		c.retire(ch)
	case Escalate:
		c.publish(ch, Event{Kind: Escalated, Failure: ch.exit.failure, Directive: Escalate})
		c.end(ReasonFailed, ch.exit.failure)
	default:
		if ch.rule.restart == RestartPermanent || ch.rule.restart == RestartTransient && ch.exit.reason.Abnormal() {
			c.restart(ch)
		} else {
			c.retire(ch)
		}
	}
}

// retire: the child is not restarted. A temporary or dynamic one is gone with that, the declaration of another stays.
func (c *core) retire(ch *child) {
	ends := c.endsWith(ch)
	ch.state = ChildExited
	c.stopOne(ch, false)
	if ends {
		c.end(ReasonShutdown, nil)
	}
}

// endsWith says whether the supervisor ends with this child.
func (c *core) endsWith(ch *child) bool {
	if !ch.rule.significant || c.auto == Never {
		return false
	}
	if c.auto == AllSignificant {
		for _, other := range c.kids {
			if other != ch && other.rule.significant && other.state != ChildIdle && !other.silent {
				return false
			}
		}
	}
	return true
}

// restart spends one restart of the budget on a child, and if that was too much ends the supervisor.
func (c *core) restart(ch *child) {
	if _, ok := c.meter.Spend(c.now); !ok {
		c.publish(ch, Event{Kind: BudgetSpent, Reason: ch.exit.reason, Failure: ch.last, Directive: ch.exit.directive})
		c.end(ReasonBudgetSpent, ch.last)
		return
	}
	ch.restarts++
	ch.cause = cause{exit: ch.exit}
	if ch.exit.directive != Restart {
		ch.cause.delay = ch.backoff.Next(c.now, c.rnd)
	}
	delay, kind := ch.cause.delay, Restarting
	if delay > 0 {
		kind = RestartDelayed
	}
	c.publish(ch, ch.cause.event(kind))
	switch {
	case c.strategy == OneForAll || c.strategy == RestForOne:
		c.restartGroup(ch, delay)
	case delay > 0:
		ch.state = ChildWaiting
		c.arm(ch, delay)
	default:
		c.start(ch)
	}
}

// onDue: the delay of a restart is over.
func (c *core) onDue(ch *child) {
	if ch.state != ChildWaiting || ch.timer != 0 {
		return // stopped or restarted by others since it was queued
	}
	c.publish(ch, ch.cause.event(Restarting))
	if c.strategy == OneForAll || c.strategy == RestForOne {
		c.restartGroup(ch, 0)
		return
	}
	c.start(ch)
}

// startFailed: the child was to start, and its Started failed, or it ended before.
func (c *core) startFailed(ch *child, x exit) {
	if x.failure != nil {
		ch.last = x.failure
	}
	ch.exit = x
	c.publish(ch, Event{Kind: StartFailed, Reason: x.reason, Failure: x.failure})
	asked := ch.request != 0
	if asked {
		c.reply(ch, startError(x))
		ch.dropped = ch.asked == requestStart
	}
	switch {
	case c.phase == phaseEnding:
		ch.state = ChildExited // until its turn to stop comes
	case asked:
		ch.state = ChildExited
		c.stopOne(ch, false)
	case c.phase == phaseStarting:
		ch.state = ChildExited
		c.end(ReasonFailed, startFailure(ch.rule.name, x))
	default:
		// OTP puts the next attempt at the end of its own mailbox, behind the exits that have arrived meanwhile.
		ch.state = ChildWaiting
		if c.plan != nil && c.plan.starting == ch {
			c.giveUpStarts()
		}
		c.enqueue(item{kind: itemRetry, child: ch})
	}
	c.pump()
}

func (c *core) onRetry(ch *child) {
	if ch.state != ChildWaiting || ch.timer != 0 {
		return
	}
	c.restart(ch)
}
