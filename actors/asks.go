package actors

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"google.golang.org/protobuf/proto"
)

// asks are the requests that actors of the user's have and did not respond to yet. No worker and no future waits for them:
// what an actor is sent has a sender whose request id is the number of the ask, and the process behind all these senders
// finds the burst again, each a single request. The burst's cursor decides who answers it: a response, the deadline, the
// end of the actor, the end of a drain.
//
// There are at most as many as requests may wait for a worker. Each is forgotten at its deadline at the latest.
type asks struct {
	router *router
	system *actor.ActorSystem // set when the server starts, as is pid
	pid    *actor.PID         // of the process that responses come to

	mu      sync.Mutex
	byID    map[uint32]*ask
	lines   map[*Handler]*askLine
	last    uint32
	stopped bool

	codes [messages.Codes]atomic.Int64
}

// ask is one request.
type ask struct {
	id           uint32
	burst        *Burst
	ctx          context.Context // the request's
	line         *askLine
	before, next *ask
}

// askLine holds what one actor was asked, in the order of the deadlines, as one handler's requests have all the same time.
type askLine struct {
	handler     *Handler
	first, last *ask
	watched     bool
}

var _ actor.Process = (*asks)(nil)

// start registers the process. It may be called again when the server's actor is restarted.
func (a *asks) start(system *actor.ActorSystem, server string) {
	if !a.router.stage.Table.asks {
		return
	}
	a.system = system
	a.pid, _ = system.ProcessRegistry.Add(a, server+"/asks")
}

// stop ends it all. Whoever still was to be answered has no connection any more.
func (a *asks) stop() {
	if a.pid == nil {
		return
	}
	a.mu.Lock()
	a.stopped = true
	lines := a.lines
	a.byID, a.lines = nil, nil
	a.mu.Unlock()
	a.system.ProcessRegistry.Remove(a.pid)
	for h, l := range lines {
		if l.watched {
			a.tell(h.Actor, &actor.Unwatch{Watcher: a.pid})
		}
	}
}

// submit has an actor asked about a burst of one request. It does not wait.
func (a *asks) submit(b *Burst, h *Handler) {
	in, ctx, err := a.read(b)
	if err != nil {
		a.answer(b, h, err)
		return
	}
	id, watch, err := a.add(ctx, b, h)
	if err != nil {
		a.answer(b, h, err)
		return
	}
	if watch {
		a.tell(h.Actor, &actor.Watch{Watcher: a.pid}) // of one that is gone already the end is told at once
	}
	sender := actor.NewPID(a.pid.Address, a.pid.Id)
	sender.RequestId = id
	a.system.Root.RequestWithCustomSender(h.Actor, in, sender)
	a.router.watch()
}

// read decodes the request. The message is the actor's, so nothing of the burst's buffer is kept.
func (a *asks) read(b *Burst) (proto.Message, context.Context, error) {
	if s := b.wrong(0); s != nil {
		return nil, nil, s
	}
	frame, _ := b.frame(0)
	t := a.router.stage.Table
	var c call
	if err := t.find(&c, frame); err != nil {
		return nil, nil, err
	}
	in, err := c.message()
	ctx := t.context(b.ctx, b, 0, &c)
	a.router.stage.reads.Put(b.buf)
	b.buf = nil
	return in, ctx, err
}

// add notes an ask. watch says that nobody watches the actor yet.
func (a *asks) add(ctx context.Context, b *Burst, h *Handler) (id uint32, watch bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return 0, false, unavailable(true)
	}
	if len(a.byID) >= a.router.stage.Queue {
		return 0, false, &messages.Status{
			Code: messages.ResourceExhausted, Message: "too many requests wait for actors", RetryAfter: retryAfter, NotStarted: true,
		}
	}
	if a.byID == nil {
		a.byID, a.lines = make(map[uint32]*ask), make(map[*Handler]*askLine)
	}
	l := a.lines[h]
	if l == nil {
		l = &askLine{handler: h}
		a.lines[h] = l
	}
	a.last++
	for a.last == 0 || a.byID[a.last] != nil {
		a.last++
	}
	k := &ask{id: a.last, burst: b, ctx: ctx, line: l, before: l.last}
	if l.last == nil {
		l.first = k
	} else {
		l.last.next = k
	}
	l.last = k
	a.byID[k.id] = k
	watch, l.watched = !l.watched, true
	return k.id, watch, nil
}

// remove forgets an ask. The caller holds mu.
func (a *asks) remove(k *ask) {
	delete(a.byID, k.id)
	l := k.line
	if k.before == nil {
		l.first = k.next
	} else {
		k.before.next = k.next
	}
	if k.next == nil {
		l.last = k.before
	} else {
		k.next.before = k.before
	}
}

// SendUserMessage takes a response, on the goroutine of the actor that responds.
func (a *asks) SendUserMessage(to *actor.PID, message any) {
	a.mu.Lock()
	k := a.byID[to.RequestId]
	if k != nil {
		a.remove(k)
	}
	a.mu.Unlock()
	if k == nil {
		a.router.late.Add(1) // a second response, or one after the deadline
		return
	}
	_, response, _ := actor.UnwrapEnvelope(message)
	a.answer(k.burst, k.line.handler, response)
}

// SendSystemMessage takes the end of an actor that is watched: what it was asked is answered at once.
func (a *asks) SendSystemMessage(_ *actor.PID, message any) {
	end, ok := message.(*actor.Terminated)
	if !ok {
		return
	}
	var orphans []*ask
	a.mu.Lock()
	for h, l := range a.lines {
		if h.Actor.Id != end.Who.Id || h.Actor.Address != end.Who.Address {
			continue
		}
		l.watched = false // a successor of the name is watched anew
		for l.first != nil {
			orphans = append(orphans, l.first)
			a.remove(l.first)
		}
	}
	a.mu.Unlock()
	for _, k := range orphans {
		a.answer(k.burst, k.line.handler, &messages.Status{
			Code: messages.Unavailable, Op: k.line.handler.Name, Message: "the actor that handles it has ended",
		})
	}
}

// Stop implements actor.Process. The process lives as long as the server.
func (a *asks) Stop(*actor.PID) {}

// expire answers what is overdue. It reports whether there is anything else.
func (a *asks) expire(now time.Time) (busy bool) {
	var late []*ask
	a.mu.Lock()
	for _, l := range a.lines {
		for l.first != nil && l.first.burst.deadline.Before(now) {
			late = append(late, l.first)
			a.remove(l.first)
		}
	}
	busy = len(a.byID) > 0
	a.mu.Unlock()
	for _, k := range late {
		a.answer(k.burst, k.line.handler, tooLate(false))
	}
	return busy
}

// waiting returns how many there are.
func (a *asks) waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.byID)
}

// answer replies to a burst with what an actor has responded: a message of the service, or an error. It does nothing if
// somebody else has answered.
func (a *asks) answer(b *Burst, h *Handler, response any) {
	if !b.takeOver() {
		a.router.late.Add(1)
		return
	}
	e := b.origin.encoder()
	s := a.reply(b, e, h, response)
	code := messages.OK
	if s != nil {
		if (s.Code == messages.Internal || s.Code == messages.Unknown) && s.IncidentID == "" {
			s = a.incident(h, s)
		}
		b.status(e, 0, s)
		code = s.Code
	}
	a.codes[codeIndex(code)].Add(1)
	b.answered = 1
	b.cursor.Store(b.cursorOf(done, 1))
	b.ctx.end()
	b.origin.complete(b)
}

// reply appends a message, or returns the error that is to go out in its place. What marshals a message is the user's code,
// and the goroutine may be an actor's that is not to fail for it.
func (a *asks) reply(b *Burst, e encoder, h *Handler, response any) (s *messages.Status) {
	mark := len(b.out)
	defer func() {
		if r := recover(); r != nil {
			b.out = b.out[:mark]
			s = &messages.Status{Code: messages.Internal, Op: h.Name, Message: "the reply does not encode", Cause: fmt.Errorf("panic: %v", r)}
		}
	}()
	switch m := response.(type) {
	case error:
		return messages.StatusOf(m)
	case proto.Message:
		arm := h.Reply
		if arm == nil {
			var err error
			if arm, err = a.router.stage.Table.armOf(m); err != nil {
				return misfit(h, m)
			}
		} else if arm.Type.Descriptor() != m.ProtoReflect().Descriptor() {
			return misfit(h, m)
		}
		if err := b.reply(e, 0, arm, m); err != nil {
			return &messages.Status{Code: messages.Internal, Op: h.Name, Message: "the reply does not encode", Cause: err}
		}
		return nil
	}
	return misfit(h, response)
}

// misfit says that an actor has responded with what is no reply.
func misfit(h *Handler, response any) *messages.Status {
	return &messages.Status{
		Code: messages.Internal, Op: h.Name, Message: "the actor's response is no reply of the service",
		Cause: fmt.Errorf("%s responded with %T, which is neither an error nor a message with an arm in the replies", h.Actor.Id, response),
	}
}

func (a *asks) incident(h *Handler, s *messages.Status) *messages.Status {
	named := *s
	named.IncidentID = supervisor.NewIncident()
	a.router.stage.Hub.Publish(supervisor.Event{
		Kind: supervisor.Failed, Path: h.Actor.Id, Directive: supervisor.Resume,
		Failure: &supervisor.Failure{Value: s, Message: "a request", Phase: supervisor.PhaseReceive, Incident: named.IncidentID},
	})
	return &named
}

// tell sends an actor a system message, of which the library's contexts have no method.
func (a *asks) tell(to *actor.PID, message any) {
	process, _ := a.system.ProcessRegistry.Get(to) // dead letters, if there is none: they answer a Watch
	process.SendSystemMessage(to, message)
}
