package supervisor

import "time"

// verb is one thing that the core wants done.
type verb int

const (
	doStart   verb = iota + 1 // start the child; inPlace: restart its suspended actor
	doResume                  // let the suspended actor go on
	doStop                    // tell the child to stop, as mode says; stopKill: abandon it
	doKill                    // abandon it: its time is up
	doArm                     // run a timer for the child, instead of the one it has; no child: the plan's
	doDisarm                  // stop it
	doPublish                 // tell of event
	doReply                   // answer request with err, or with the child if that is nil
	doForget                  // the child is no more
	doReady                   // all children have started
	doFinish                  // no child is left: end the supervisor for that reason; 0: it was told to
)

type act struct {
	do      verb
	child   *child // nil: of the plan
	inPlace bool
	mode    stopMode
	delay   time.Duration // of the timer
	timer   uint64        // its number
	event   Event         // Path is the child's name
	request int
	err     error
	reason  Reason
	failure *Failure
}

func (c *core) do(a act) { c.acts = append(c.acts, a) }

func (c *core) flush() []act {
	acts := c.acts
	c.acts = nil
	return acts
}

func (c *core) publish(ch *child, e Event) {
	e.Time, e.Path, e.Incarnation, e.BudgetLeft = c.now, ch.rule.name, max(0, ch.incarnation), c.meter.Left(c.now)
	c.do(act{do: doPublish, child: ch, event: e})
}

// reply answers the request that the child's start or stop was made for, if there is one.
func (c *core) reply(ch *child, err error) {
	if ch.request != 0 {
		c.do(act{do: doReply, child: ch, request: ch.request, err: err})
		ch.request = 0
	}
}

func (c *core) arm(ch *child, delay time.Duration) {
	c.timer++
	ch.timer = c.timer
	c.do(act{do: doArm, child: ch, delay: delay, timer: c.timer})
}

func (c *core) disarm(ch *child) {
	if ch.timer != 0 {
		ch.timer = 0
		c.do(act{do: doDisarm, child: ch})
	}
}

// start makes the child's next instance.
func (c *core) start(ch *child) {
	ch.state, ch.silent, ch.exit = ChildStarting, false, exit{}
	ch.incarnation++
	c.do(act{do: doStart, child: ch, inPlace: ch.husk})
	ch.husk = false
}

// tell tells a child that has an actor to stop.
func (c *core) tell(ch *child, mode stopMode) {
	if ch.rule.shutdown == Brutal {
		mode = stopKill
	}
	c.do(act{do: doStop, child: ch, mode: mode})
}

// stopOne begins to stop a child and says whether there is something to wait for. Its time runs on a timer of its own, unless shared.
func (c *core) stopOne(ch *child, shared bool) bool {
	mode := c.mode
	if c.phase != phaseEnding {
		mode = stopHalt
	}
	switch ch.state {
	case ChildIdle:
		return false
	case ChildStopping:
		if c.mode == stopKill {
			c.tell(ch, stopKill)
		}
		return true
	case ChildWaiting, ChildExited:
		c.disarm(ch)
		ch.silent = true
		if !ch.husk {
			c.settle(ch)
			return false
		}
		mode = max(mode, stopHalt) // a pill would wait behind the suspended mailbox
	}
	ch.state = ChildStopping
	c.tell(ch, mode)
	if !shared && mode != stopKill && ch.rule.shutdown != Infinite && ch.rule.shutdown != Brutal {
		c.arm(ch, ch.rule.shutdown)
	}
	return true
}

// settle: the child was to stop, and has no actor any more.
func (c *core) settle(ch *child) {
	c.disarm(ch)
	if !ch.silent {
		kind := Stopped
		if ch.exit.reason == ReasonKilled {
			kind = Killed
		}
		c.publish(ch, Event{Kind: kind, Reason: ch.exit.reason, Failure: ch.exit.failure})
	}
	planned := ch.planned
	ch.state, ch.silent, ch.planned, ch.exit, ch.cause = ChildIdle, false, false, exit{}, cause{}
	var err error
	if ch.asked != requestStop {
		err = ErrStopping // it was to start
	}
	c.reply(ch, err)
	for _, r := range ch.later {
		if c.phase >= phaseEnding {
			c.requests--
			c.refuse(r, ErrStopping)
			continue
		}
		c.enqueue(item{kind: itemRequest, request: r})
	}
	ch.later = nil
	if ch.dropped || ch.rule.restart == RestartTemporary || c.strategy == Dynamic {
		c.remove(ch)
	}
	if planned {
		c.plan.waiting--
		c.advance()
	}
}
