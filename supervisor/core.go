package supervisor

import (
	"slices"
	"time"
)

// core is what a supervisor knows and decides: a state machine without actors, clocks or goroutines. It is told what happened, and answers with what
// is to be done, in order. The rules are those of OTP's supervisor (stdlib, supervisor.erl of OTP 25), with delays added.
//
// Static children are handled as OTP does it, one thing after the other: while a plan (the first start, the restart of a group, the end) is under
// way, whatever else happens waits in the queue. The supervisor that carries it out waits for nothing, though, and can be told to stop at any time.
// What concerns one child alone (one-for-one, dynamic) is no plan, and goes on beside it.
//
// The queue holds at most one entry for each child, and maxRequests requests.
type core struct {
	strategy Grouping
	auto     AutoShutdown
	meter    *Meter
	rnd      func() float64

	phase phase
	order []*child // in the order of starting; not kept for Dynamic
	kids  map[int]*child
	names map[string]*child
	last  int // the last key that was given out

	plan     *plan
	queue    []item
	requests int // of them

	mode    stopMode
	reason  Reason // of the end; 0 if it was told to stop
	failure *Failure

	now   time.Time
	timer uint64 // the last number that was given to a timer
	acts  []act
}

type phase int

const (
	phaseNew phase = iota
	phaseStarting
	phaseUp
	phaseEnding
	phaseEnded
)

// stopMode is how children are told to stop, the harder the higher.
type stopMode int

const (
	stopDrain stopMode = iota // a PoisonPill: what is in the mailbox is handled first
	stopHalt                  // a Stop
	stopKill                  // they are abandoned
)

// maxRequests is how many requests wait for a plan to end; more are refused with ErrBusy.
const maxRequests = 1024

// childRule is what the core has to know of a child's declaration.
type childRule struct {
	name        string
	restart     RestartType
	shutdown    time.Duration // with its default
	backoff     Backoff
	significant bool
	ref         any // whatever who carries the acts out wants to know of the child
}

// child is one child. Its key is never used again; its name may be.
type child struct {
	key         int
	rule        childRule
	state       ChildState
	husk        bool // its failed actor is still there, suspended; a restart keeps its PID and mailbox
	incarnation int  // of the present or last instance; -1 before the first
	restarts    int
	last        *Failure
	backoff     *BackoffState
	timer       uint64    // the number of the timer that runs; 0: none
	exit        exit      // how it ended, while that waits for a decision or for its actor's end
	cause       cause     // of the restart that is under way; of another child's failure, if it is restarted with that one
	silent      bool      // it had ended before it was stopped: nobody hears of that
	dropped     bool      // it goes with its actor, whatever its type
	planned     bool      // the plan waits for it to stop
	request     int       // to be answered when its start or stop is done; 0: none
	later       []request // about it, that came while it stops
	asked       requestKind
}

// exit is how a child ended, and what its Decide made of it.
type exit struct {
	reason    Reason
	failure   *Failure
	directive Directive
}

// cause is why a child is restarted, for the events that tell of it. The zero value: because somebody asked for it.
type cause struct {
	exit
	delay time.Duration
}

// event is an event that tells of it.
func (c cause) event(k Kind) Event {
	return Event{Kind: k, Reason: c.reason, Failure: c.failure, Directive: c.directive, Delay: c.delay}
}

// item waits for the plan to end: the exit of a child, its next attempt to start, the end of its delay, or a request.
type item struct {
	kind    itemKind
	child   *child
	request request
}

type itemKind int

const (
	itemExit itemKind = iota
	itemRetry
	itemDue
	itemRequest
)

func newCore(strategy Grouping, auto AutoShutdown, budget Budget, rnd func() float64, rules ...childRule) *core {
	c := &core{
		strategy: strategy, auto: auto, meter: NewMeter(budget), rnd: rnd,
		kids: make(map[int]*child), names: make(map[string]*child),
	}
	for _, rule := range rules {
		c.add(rule)
	}
	return c
}

func (c *core) add(rule childRule) *child {
	c.last++
	ch := &child{key: c.last, rule: rule, incarnation: -1, backoff: NewBackoffState(rule.backoff)}
	c.kids[ch.key], c.names[rule.name] = ch, ch
	if c.strategy != Dynamic {
		c.order = append(c.order, ch)
	}
	return ch
}

func (c *core) remove(ch *child) {
	c.disarm(ch)
	delete(c.kids, ch.key)
	delete(c.names, ch.rule.name)
	c.order = slices.DeleteFunc(c.order, func(other *child) bool { return other == ch })
	c.do(act{do: doForget, child: ch})
}

// begin starts the children.
func (c *core) begin(now time.Time) []act {
	c.now = now
	if c.phase == phaseNew {
		c.phase = phaseStarting
		c.plan = &plan{kind: planFirst, starts: slices.Clone(c.order)}
		c.advance()
	}
	return c.flush()
}

// started: the child has handled Started.
func (c *core) started(key int, now time.Time) []act {
	c.now = now
	ch := c.kids[key]
	if ch == nil || ch.state != ChildStarting {
		return nil
	}
	ch.state = ChildRunning
	kind := Started
	if ch.incarnation > 0 {
		kind = Restarted
	}
	c.publish(ch, ch.cause.event(kind))
	ch.cause = cause{}
	c.reply(ch, nil)
	if c.plan != nil && c.plan.starting == ch {
		c.plan.starting = nil
		c.advance()
	}
	c.pump()
	return c.flush()
}

// failed: the child's actor has failed, and is suspended.
func (c *core) failed(key int, f *Failure, d Directive, now time.Time) []act {
	c.now = now
	ch := c.kids[key]
	if ch == nil {
		return nil
	}
	switch ch.state {
	case ChildStarting:
		ch.husk = true
		c.startFailed(ch, exit{reason: ReasonFailed, failure: f})
	case ChildRunning:
		ch.husk = true
		c.exited(ch, exit{ReasonFailed, f, d})
	case ChildStopping:
		ch.exit, ch.last = exit{reason: ReasonFailed, failure: f}, f
		c.tell(ch, stopHalt) // a pill would wait behind the suspended mailbox for ever
	}
	return c.flush()
}

// ended: the child's actor is gone.
func (c *core) ended(key int, reason Reason, f *Failure, now time.Time) []act {
	c.now = now
	ch := c.kids[key]
	if ch == nil {
		return nil
	}
	ch.husk = false
	switch ch.state {
	case ChildStarting:
		c.startFailed(ch, exit{reason: reason, failure: f})
	case ChildRunning:
		c.exited(ch, exit{reason: reason, failure: f})
	case ChildStopping:
		if ch.exit.reason == 0 || reason == ReasonKilled {
			ch.exit.reason = reason
		}
		if f != nil {
			ch.exit.failure, ch.last = f, f
		}
		c.settle(ch)
		c.pump()
	}
	return c.flush()
}

// fired: the timer of that number has run out. A key of 0 is the plan's.
func (c *core) fired(key int, timer uint64, now time.Time) []act {
	c.now = now
	if key == 0 {
		c.planDue(timer)
		return c.flush()
	}
	ch := c.kids[key]
	if ch == nil || ch.timer != timer || timer == 0 {
		return nil
	}
	ch.timer = 0
	switch ch.state {
	case ChildStopping:
		c.do(act{do: doKill, child: ch})
	case ChildWaiting:
		c.enqueue(item{kind: itemDue, child: ch})
		c.pump()
	}
	return c.flush()
}

// stop ends the supervisor, or makes the end that is under way harder.
func (c *core) stop(mode stopMode, now time.Time) []act {
	c.now = now
	switch {
	case c.phase == phaseEnded:
	case c.phase != phaseEnding:
		c.mode = mode
		c.end(0, nil)
	case mode > c.mode:
		c.mode = mode
		for _, ch := range c.sorted() {
			if ch.planned {
				c.tell(ch, mode)
			}
		}
	}
	return c.flush()
}

// sorted is all children in the order of starting.
func (c *core) sorted() []*child {
	if c.strategy != Dynamic {
		return slices.Clone(c.order)
	}
	all := make([]*child, 0, len(c.kids))
	for _, ch := range c.kids {
		all = append(all, ch)
	}
	slices.SortFunc(all, func(a, b *child) int { return a.key - b.key })
	return all
}

func (c *core) enqueue(i item) { c.queue = append(c.queue, i) }

// pump handles what has waited for a plan, until the next one begins.
func (c *core) pump() {
	for c.phase == phaseUp && c.plan == nil && len(c.queue) > 0 {
		next := c.queue[0]
		c.queue = slices.Delete(c.queue, 0, 1)
		switch next.kind {
		case itemExit:
			c.onExit(next.child)
		case itemRetry:
			c.onRetry(next.child)
		case itemDue:
			c.onDue(next.child)
		case itemRequest:
			c.requests--
			c.onRequest(next.request)
		}
	}
}
