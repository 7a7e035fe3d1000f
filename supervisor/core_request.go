package supervisor

import "time"

type requestKind int

const (
	requestStart requestKind = iota + 1
	requestStop
	requestRestart
	requestDelete
)

// request is what somebody asks of the supervisor about one child.
type request struct {
	id   int // not 0; names it in the answer
	kind requestKind
	rule childRule // of a start; of the others, only the name
}

// ask handles a request now, or when the plan that is under way has ended.
func (c *core) ask(r request, now time.Time) []act {
	c.now = now
	switch {
	case c.phase >= phaseEnding:
		c.refuse(r, ErrStopping)
	case c.phase == phaseUp && c.plan == nil:
		c.onRequest(r)
		c.pump()
	case c.requests >= maxRequests:
		c.refuse(r, ErrBusy)
	default:
		c.requests++
		c.enqueue(item{kind: itemRequest, request: r})
	}
	return c.flush()
}

func (c *core) refuse(r request, err error) { c.do(act{do: doReply, request: r.id, err: err}) }

func (c *core) onRequest(r request) {
	ch := c.names[r.rule.name]
	switch {
	case r.kind != requestStart && r.kind != requestStop && c.strategy == Dynamic:
		c.refuse(r, ErrDynamic)
	case ch != nil && ch.state == ChildStopping && c.requests >= maxRequests:
		c.refuse(r, ErrBusy)
	case ch != nil && ch.state == ChildStopping:
		// In OTP it would wait in the supervisor's mailbox, as the supervisor waits for the child.
		ch.later = append(ch.later, r)
		c.requests++
	case r.kind == requestStart:
		c.onStartRequest(r, ch)
	case ch == nil:
		c.refuse(r, ErrNotFound)
	case r.kind == requestStop:
		c.onStopRequest(r, ch)
	case ch.state == ChildWaiting:
		c.refuse(r, ErrRestarting)
	case ch.state != ChildIdle:
		c.refuse(r, ErrRunning)
	case r.kind == requestRestart:
		ch.request, ch.asked = r.id, requestRestart
		c.start(ch)
	default:
		c.do(act{do: doReply, child: ch, request: r.id})
		c.remove(ch)
	}
}

func (c *core) onStartRequest(r request, ch *child) {
	switch {
	case ch == nil:
		ch = c.add(r.rule)
		ch.request, ch.asked = r.id, requestStart
		c.start(ch)
	case ch.state == ChildIdle || ch.state == ChildWaiting: // OTP's start_child does not tell them apart, unlike its restart_child
		c.refuse(r, ErrAlreadyPresent)
	default:
		c.refuse(r, ErrAlreadyStarted)
	}
}

func (c *core) onStopRequest(r request, ch *child) {
	if ch.state == ChildIdle {
		c.do(act{do: doReply, child: ch, request: r.id})
		return
	}
	c.reply(ch, ErrStopping) // whoever waits for its start
	ch.request, ch.asked = r.id, requestStop
	c.stopOne(ch, false)
}
