package supervisor

import (
	"slices"
	"time"
)

// plan is a sequence of stops and starts. There is one at a time.
type plan struct {
	kind     planKind
	stops    [][]*child // told to stop together, the next ones first
	waiting  int        // of those that were told, how many have not stopped
	timer    uint64     // of those of a batch that have the same time; 0: none
	limit    time.Duration
	starts   []*child // one after the other, when nothing is left to stop
	starting *child
	culprit  *child        // planGroup: whose failure it is
	cause    cause         // planGroup: what that was
	delay    time.Duration // planGroup: what passes between the stops and the starts
}

type planKind int

const (
	planFirst planKind = iota // the first start
	planGroup                 // a restart of one-for-all or rest-for-one
	planEnd                   // the end
)

// advance takes the plan's next step, if the last one is done.
func (c *core) advance() {
	for p := c.plan; p != nil && p == c.plan && p.waiting == 0 && p.starting == nil; {
		switch {
		case len(p.stops) > 0:
			batch := p.stops[0]
			p.stops = p.stops[1:]
			c.stopBatch(p, batch)
		case p.kind == planGroup && p.culprit != nil:
			c.afterStops(p)
		case len(p.starts) > 0:
			p.starting = p.starts[0]
			p.starts = p.starts[1:]
			p.starting.cause = p.cause
			c.start(p.starting)
		default:
			c.finishPlan(p)
		}
	}
}

// stopBatch counts before it asks, as a child that needs no stop settles at once and may be removed. Children of one template have one time, and
// so one timer; those that StartChild made of something else (a supervisor among workers) have one each.
func (c *core) stopBatch(p *plan, batch []*child) {
	p.limit = sharedLimit(batch)
	armed := false
	for _, ch := range batch {
		if c.kids[ch.key] != ch {
			continue
		}
		shared := ch.rule.shutdown == p.limit
		if c.stopOne(ch, shared) {
			ch.planned = true
			p.waiting++
			armed = armed || shared
		}
	}
	if armed && c.mode != stopKill {
		c.timer++
		p.timer = c.timer
		c.do(act{do: doArm, delay: p.limit, timer: p.timer})
	}
}

// sharedLimit is the time that children of a batch of several have in common: the first one's that has any; 0 if there is none.
func sharedLimit(batch []*child) time.Duration {
	if len(batch) < 2 {
		return 0
	}
	for _, ch := range batch {
		if limit := ch.rule.shutdown; limit != Infinite && limit != Brutal {
			return limit
		}
	}
	return 0
}

// planDue: the time that children of a batch share is up.
func (c *core) planDue(timer uint64) {
	if c.plan == nil || c.plan.timer != timer || timer == 0 {
		return
	}
	c.plan.timer = 0
	for _, ch := range c.sorted() {
		if ch.planned && ch.rule.shutdown == c.plan.limit {
			c.do(act{do: doKill, child: ch})
		}
	}
}

// afterStops: the group has stopped. The children that are left of it are started, those included that had ended before, as OTP does it.
func (c *core) afterStops(p *plan) {
	culprit := p.culprit
	p.culprit = nil
	if p.delay > 0 {
		c.plan = nil
		c.arm(culprit, p.delay)
		c.pump()
		return
	}
	p.starts = c.group(culprit)
}

func (c *core) finishPlan(p *plan) {
	c.plan = nil
	switch p.kind {
	case planFirst:
		c.phase = phaseUp
		c.do(act{do: doReady})
	case planEnd:
		if p.timer != 0 {
			c.do(act{do: doDisarm})
		}
		c.phase = phaseEnded
		c.do(act{do: doFinish, reason: c.reason, failure: c.failure})
	}
	c.pump()
}

// giveUpStarts ends a plan one of whose starts has failed. From then on the restart is that child's, and the one whose failure it was is a
// child that does not run, as any other that has not had its turn: if the retry is called off, it must not wait for it for ever.
func (c *core) giveUpStarts() {
	p := c.plan
	c.plan = nil
	for _, ch := range p.starts {
		if ch.state == ChildWaiting {
			c.stopOne(ch, false)
		}
	}
}

// group is who is restarted with a child, in the order of starting.
func (c *core) group(ch *child) []*child {
	if c.strategy == OneForAll {
		return slices.Clone(c.order)
	}
	return slices.Clone(c.order[max(0, slices.Index(c.order, ch)):])
}

// restartGroup stops the others of the child's group, in reverse, and starts the group, the child included, after the delay.
func (c *core) restartGroup(ch *child, delay time.Duration) {
	ch.state = ChildWaiting
	p := &plan{kind: planGroup, culprit: ch, cause: ch.cause, delay: delay}
	for _, other := range slices.Backward(c.group(ch)) {
		if other != ch {
			p.stops = append(p.stops, []*child{other})
		}
	}
	c.plan = p
	c.advance()
}

// end stops all children in reverse, a dynamic supervisor's together, and then the supervisor.
func (c *core) end(reason Reason, f *Failure) {
	if c.phase >= phaseEnding {
		return
	}
	c.phase, c.reason, c.failure = phaseEnding, reason, f
	if c.mode == stopDrain && reason != 0 {
		c.mode = stopHalt
	}
	for _, i := range c.queue {
		if i.kind == itemRequest {
			c.do(act{do: doReply, request: i.request.id, err: ErrStopping})
		}
	}
	c.queue, c.requests = nil, 0
	p := &plan{kind: planEnd}
	all := c.sorted()
	for _, ch := range all {
		ch.planned = false // by the plan that is given up
	}
	if c.strategy == Dynamic && len(all) > 0 {
		p.stops = [][]*child{all}
	} else {
		for _, ch := range slices.Backward(all) {
			p.stops = append(p.stops, []*child{ch})
		}
	}
	c.plan = p
	c.advance()
}
