package actors

import (
	"context"
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
	target       *actor.PID // the line's
	before, next *ask
}

var _ actor.Process = (*asks)(nil)

// start registers the process. It may be called again when the server's actor is restarted. No other process of the system
// ever has its name: a server of the same name that came later would take responses to this one's requests for its own.
func (a *asks) start(system *actor.ActorSystem, server string) {
	if !a.router.stage.Table.asks || a.pid != nil {
		return
	}
	a.system = system
	for registered := false; !registered; {
		a.pid, registered = system.ProcessRegistry.Add(a, server+"/asks"+system.ProcessRegistry.NextId())
	}
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
//
// What decodes a message is the user's, and a router of the library's that has nobody to route to panics in its sender, which
// is the reader here: neither must get out, nor take the answer with it.
func (a *asks) submit(b *Burst, h *Handler) {
	s := &messages.Status{Code: messages.Internal, Op: h.Name, Message: "the request could not be decoded"}
	id, finished := uint32(0), false
	defer func() {
		if finished {
			return
		}
		f := supervisor.NewFailure(recover(), "a request")
		if f.Value == nil {
			f.Value, f.Goexit = supervisor.ErrGoexit, true
		}
		s.Cause, s.IncidentID = f, f.Incident
		a.router.stage.Hub.Publish(supervisor.Event{Kind: supervisor.Failed, Path: h.Actor.Id, Directive: supervisor.Resume, Failure: f})
		if a.take(id) != nil || id == 0 { // else it was answered
			a.answer(b, h, s)
		}
	}()
	in, ctx, err := a.read(b)
	if err != nil {
		finished = true
		a.answer(b, h, err)
		return
	}
	s = &messages.Status{Code: messages.Unavailable, Op: h.Name, Message: "the actor that handles it could not be asked"}
	k, watch, err := a.add(ctx, b, h)
	if err != nil {
		finished = true
		a.answer(b, h, err)
		return
	}
	id = k.id
	a.ask(k, in, watch)
	finished = true
	a.router.watch()
}

// ask sends an actor a request.
func (a *asks) ask(k *ask, in proto.Message, watch bool) {
	target := k.target
	if watch {
		a.tell(target, &actor.Watch{Watcher: a.pid}) // of one that is gone already the end is told at once
		if !a.has(k.id) {
			return
		}
	}
	sender := actor.NewPID(a.pid.Address, a.pid.Id)
	sender.RequestId = k.id
	a.system.Root.RequestWithCustomSender(target, in, sender)
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
func (a *asks) add(ctx context.Context, b *Burst, h *Handler) (k *ask, watch bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return nil, false, unavailable(true)
	}
	if len(a.byID) >= a.router.stage.Queue {
		return nil, false, &messages.Status{
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
	if watch = !l.watched; watch {
		l.watched, l.target = true, actor.NewPID(h.Actor.Address, h.Actor.Id)
	}
	k = &ask{id: a.last, burst: b, ctx: ctx, line: l, target: l.target}
	l.insert(k)
	a.byID[k.id] = k
	return k, watch, nil
}

// take takes an ask out, for the caller to answer. It is nil if somebody else has.
func (a *asks) take(id uint32) *ask {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.byID[id]
	if k != nil {
		a.remove(k)
	}
	return k
}

// has says whether nobody has answered an ask yet.
func (a *asks) has(id uint32) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byID[id] != nil
}

// remove forgets an ask. The caller holds mu.
func (a *asks) remove(k *ask) {
	delete(a.byID, k.id)
	k.line.remove(k)
}

// SendUserMessage takes a response, on the goroutine of the actor that responds.
func (a *asks) SendUserMessage(to *actor.PID, message any) {
	_, response, _ := actor.UnwrapEnvelope(message)
	_, dead := response.(*actor.DeadLetterResponse) // the library's own: nobody has got the request
	k := a.take(to.RequestId)
	if k == nil {
		if !dead {
			a.router.late.Add(1) // a second response, or one after the deadline
		}
		return
	}
	if dead {
		response = ended(k.line.handler)
	}
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
		a.answer(k.burst, k.line.handler, ended(k.line.handler))
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

// tell sends an actor a system message, of which the library's contexts have no method.
func (a *asks) tell(to *actor.PID, message any) {
	process, _ := a.system.ProcessRegistry.Get(to) // dead letters, if there is none: they answer a Watch
	process.SendSystemMessage(to, message)
}
