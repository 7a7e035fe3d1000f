package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/proto"
)

// serve answers the requests of a burst in order. It is false if a handler crashed: then that request was answered, the
// untouched ones went back to the pool, and the worker has failed.
func (w *worker) serve(ctx actor.Context, b *Burst) bool {
	// What the burst says is copied: once it has begun, somebody may take a part of it away.
	r := run{
		worker: w, burst: b, encoder: b.origin.encoder(), buf: b.buf, frames: b.frames, refusal: b.refusal, size: b.size(), slot: b.slot,
		attempt: b.attempt, begun: b.ready,
	}
	if !b.inline {
		r.begun = w.router.clock()
	}
	if !b.begin() {
		w.router.unhold(b)
		return true // it was answered while it waited
	}
	w.enter(b)
	defer r.end(ctx)
	for !r.over {
		r.step()
	}
	return true
}

// run is one burst being served.
type run struct {
	worker  *worker
	burst   *Burst
	encoder *encoder
	buf     []byte
	frames  []transport.Frame
	refusal *messages.Status
	size    int
	slot    uint16
	attempt int
	begun   int64 // on the router's clock; when it could be served, if it is served at once

	handler *Handler // of the request that is being served, as soon as it is known
	call    call     // likewise
	k       int      // that request
	mark    int      // where its reply begins
	alone   bool     // the others were taken away
	over    bool     // every request was answered, or the burst is not ours any more

	lent     *Loan     // to the handler; see lending.go
	checking *checking // if what is lent is checked
}

// step serves request k.
func (r *run) step() {
	h, reply, err := r.handle()
	if !r.burst.move(handling, r.k, encoding, r.k) {
		var ours bool
		if ours, r.alone = r.burst.handledAlone(r.k); !ours {
			r.worker.router.late.Add(1)
			r.over = true
			r.giveBack()
			return
		}
	}
	r.encode(h, reply, err)
	if r.lent != nil && h.Return != nil && err == nil && reply != r.lent.In {
		h.Return(reply)
	}
	r.giveBack()
	r.next()
}

// handle lets the handler of request k work, unless there is a reason not to.
func (r *run) handle() (*Handler, proto.Message, error) {
	w := r.worker
	r.handler = nil
	if r.k == len(r.frames) {
		return nil, nil, r.refusal
	}
	if w.router.now.Load() > w.deadline.Load() {
		return nil, nil, tooLate(!r.tried())
	}
	f := r.frames[r.k]
	c := &r.call
	if err := r.encoder.table.find(c, r.buf[f.Start:f.End]); err != nil {
		return nil, nil, err
	}
	if s := r.burst.wrong(r.k); s != nil {
		return c.handler, nil, s
	}
	if c.handler.stalled.Load() > 0 && !w.suspect() {
		return nil, nil, &messages.Status{
			Code: messages.Unavailable, Message: "too many handlers of " + c.handler.Name + " do not return", NotStarted: !r.tried(), RetryAfter: retryAfter,
		}
	}
	if c.handler.Key != nil && r.slot == noSlot {
		return c.handler, nil, keyless(c)
	}
	r.handler = c.handler
	w.stage.seams.worker.strike(w.number)
	reply, err := r.take()
	w.unsuspect()
	return c.handler, reply, err
}

// tried says whether the handler of the request was called before, and crashed.
func (r *run) tried() bool { return r.k == 0 && r.attempt > 0 }

// keyless says why a request has no slot that should have one: it does not decode, or its key function did not return, and
// may do the same here. It is never served without, as that would be out of order.
func keyless(c *call) error {
	if _, err := c.key(); err != nil {
		return err
	}
	return &messages.Status{Code: messages.Internal, Op: c.handler.Name, Message: "the request's key could not be told", NotStarted: true}
}

func tooLate(notStarted bool) *messages.Status {
	return &messages.Status{Code: messages.DeadlineExceeded, Message: "the deadline passed", NotStarted: notStarted}
}

// encode appends the reply to request k, or the error. The cursor says encoding: the burst is the worker's alone.
func (r *run) encode(h *Handler, reply proto.Message, err error) {
	b, w := r.burst, r.worker
	if b.out == nil {
		b.out = w.stage.writes.Get()
	}
	r.mark = len(b.out)
	if err == nil {
		if err = b.reply(r.encoder, r.k, h.Reply, reply); err == nil {
			b.oks++
			return
		}
		err = &messages.Status{Code: messages.Internal, Op: h.Name, Message: "the reply does not encode", Cause: err}
	}
	s := messages.StatusOf(err)
	if (s.Code == messages.Internal || s.Code == messages.Unknown) && s.IncidentID == "" {
		s = r.incident(s)
		if r.lent != nil || r.checking != nil {
			// Whoever hears of the incident has the error, which may hold parts of what was lent.
			r.lent, r.checking, b.kept = nil, nil, true
		}
	}
	b.status(r.encoder, r.k, s)
	w.tally(b, r.k+1)
	w.codes[codeIndex(s.Code)].Add(1)
}

// incident gives an error that is the server's own fault an id, and publishes it with its cause, which is not sent.
func (r *run) incident(s *messages.Status) *messages.Status {
	named := *s
	named.IncidentID = supervisor.NewIncident()
	r.worker.stage.Hub.Publish(supervisor.Event{
		Kind: supervisor.Failed, Path: r.worker.name, Directive: supervisor.Resume,
		Failure: &supervisor.Failure{Value: s, Message: "a request", Phase: supervisor.PhaseReceive, Incident: named.IncidentID},
	})
	return &named
}

// next goes on to the next request, or completes the burst after the last.
func (r *run) next() {
	b := r.burst
	if w := r.worker; !w.served.Load() {
		w.served.Store(true)
	}
	b.answered++
	r.k++
	if !r.alone && r.k < r.size {
		b.cursor.Store(b.cursorOf(handling, r.k))
		return
	}
	r.over = true
	b.cursor.Store(b.cursorOf(done, r.k))
	b.ended = r.worker.router.clock()
	spent := b.ended - r.begun
	r.worker.worked.Add(spent)
	b.took = time.Duration(spent / int64(r.k))
	r.complete()
}

func codeIndex(c messages.Code) int {
	if c <= messages.OK || c >= messages.Codes {
		return int(messages.Unknown)
	}
	return int(c)
}

// end runs when serve ends, in whatever way: a panic and a runtime.Goexit in a handler end up here.
func (r *run) end(ctx actor.Context) {
	if r.over {
		r.worker.exit()
		r.worker.router.unhold(r.burst)
		return
	}
	failure := supervisor.NewFailure(recover(), r.burst)
	if failure.Value == nil {
		failure.Value, failure.Goexit = supervisor.ErrGoexit, true
	}
	r.crashed(failure)
	r.worker.unsuspect()
	r.worker.alive.Store(false) // it is not offered until it has been started again
	r.worker.exit()
	r.worker.router.unhold(r.burst)
	if r.worker.givenUp.Load() {
		// Its supervisor has no such child any more, and would restart it.
		r.worker.stage.Hub.Publish(supervisor.Event{Kind: supervisor.Failed, Path: ctx.Self().Id, Failure: failure, Directive: supervisor.Stop})
		ctx.Stop(ctx.Self())
		return
	}
	if failure.Goexit {
		panic(failure) // the guard, which cannot be kept from seeing the Goexit, passes this on
	}
	ctx.(actor.Supervisor).EscalateFailure(failure, ctx.Message())
}

// crashed answers the request whose handler crashed, or has it tried again, and gives those behind it back to the pool.
func (r *run) crashed(f *supervisor.Failure) {
	b, w := r.burst, r.worker
	w.crashes.Add(1)
	ours, alone := b.handled(r.k)
	r.alone = r.alone || alone
	if !ours {
		if p, k := b.at(); p != encoding || k != r.k {
			w.router.late.Add(1)
			return // it was answered already
		}
		b.out = b.out[:r.mark] // the crash was in encoding the reply
	}
	// Whoever has detached it had it kept already, and may not be back.
	b.unlent = !b.kept
	b.kept = true
	if f.Goexit {
		b.inline = false // the reader that would wake the session dies with this goroutine
	}
	if ours && r.retry() {
		return
	}
	if !r.alone && r.k+1 < r.size {
		r.passOn(b.origin.split(b, r.k+1))
	}
	if b.out == nil {
		b.out = w.stage.writes.Get()
	}
	b.status(r.encoder, r.k, &messages.Status{
		Code: messages.Internal, Message: "the handler crashed", IncidentID: f.Incident,
	})
	w.codes[messages.Internal].Add(1)
	b.answered++
	b.cursor.Store(b.cursorOf(done, r.k+1))
	r.complete()
}

// retry gives the request whose handler crashed back to the pool, with those behind it, if it may be tried again: decoded
// anew from its bytes, by whichever worker is idle. What was answered before it goes its way.
func (r *run) retry() bool {
	b, w := r.burst, r.worker
	attempt := 1
	if r.k == 0 {
		attempt = r.attempt + 1
	}
	if r.handler == nil || !r.handler.Idempotent || attempt > w.stage.Retries || w.router.at(time.Now()) > w.deadline.Load() {
		return false
	}
	again := b.origin.retry(b, r.k)
	again.attempt = attempt
	w.router.retried.Add(1)
	w.router.requeue(again)
	b.cursor.Store(b.cursorOf(done, r.k))
	r.complete()
	return true
}

// passOn has others serve what a crash has left. With a key it waits in the queue, in its place among those of its slot. (What is
// tried again waits too: what has crashed once is not worth a hurry.)
func (r *run) passOn(rest *Burst) {
	if r.burst.inline && rest.slot == noSlot {
		rest.ready = r.worker.router.clock()
		r.burst.rest = rest
		return
	}
	r.worker.router.requeue(rest)
}

func (r *run) complete() {
	r.worker.tally(r.burst, 0) // all are counted, and the next burst begins anew
	r.burst.ctx.end()
	r.burst.origin.complete(r.burst)
}
