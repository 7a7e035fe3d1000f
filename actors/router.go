package actors

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
)

// retryAfter is what a client is told when the queue is full. The queue of a busy pool turns over in less.
const retryAfter = 100 * time.Millisecond

// router is the pool's data path, and no mailbox: a burst claims an idle worker atomically and runs on its sender's
// goroutine; if none is idle it waits in the queue, from which workers pull. The pool actor supervises the workers and is
// not in the way.
type router struct {
	stage *Stage
	idle  idleSet
	slots []atomic.Pointer[slot] // as many as there may ever be workers
	turn  atomic.Int64           // of round-robin: where to look first

	sizer    sizer        // the sweeper's
	size     atomic.Int64 // how many workers there should be
	placed   atomic.Int64 // how many there are
	resizing atomic.Bool  // a Resize is in the pool's mailbox

	mu      sync.Mutex
	backlog backlog
	ready   atomic.Int64 // requests in the backlog that a worker may take; changed with mu held
	held    atomic.Int64 // requests in the backlog that wait for a key slot; likewise

	routed   atomic.Int64 // bursts that left the queue or went past it; those run inline count in their slots
	waited   atomic.Int64
	wait     waits // of those bursts that waited
	rejected atomic.Int64
	retried  atomic.Int64
	late     atomic.Int64
	timedOut atomic.Int64 // requests answered DEADLINE_EXCEEDED by the sweeper

	detached atomic.Int64              // workers whose handlers have stalled
	suspects atomic.Int64              // calls of handlers of which others are detached
	pool     atomic.Pointer[actor.PID] // nil before it has started
	workers  int                       // started so far; touched by the pool's actor only

	base     time.Time    // of the router's clock
	now      atomic.Int64 // as the sweeper last saw it, in nanoseconds from base
	watching atomic.Bool  // the sweeper runs

	sortings sortings

	asks asks // of actors of the user's

	goneMu sync.Mutex
	gone   []*slot // given up, or just stopped
	past   Counts  // of workers that are gone for good
}

func newRouter(st *Stage) *router {
	r := &router{
		stage: st, idle: newIdleSet(st.MaxWorkers), slots: make([]atomic.Pointer[slot], st.MaxWorkers), base: time.Now(),
		sizer: newSizer(st.Workers, st.MaxWorkers),
	}
	r.size.Store(int64(st.Workers))
	r.asks.router = r
	r.backlog.mix(st.Table.mixed)
	return r
}

// submit has a burst served: at once, on the caller's goroutine, if a worker is idle and nobody waits; by a worker's own
// goroutine, later, if not. The burst has its replies when submit returns, or will have, in any case. If it was served at
// once, submit returns when that was done, on the router's clock, else 0.
func (r *router) submit(b *Burst) (ended int64) {
	if r.stage.Table.sorts && len(b.frames) > 0 {
		if r.stage.Table.keys {
			r.sortings.begin(b)
			r.watch()
		}
		r.sorted(b, make([]class, len(b.frames)), 0, true)
		return 0
	}
	return r.submitRun(b)
}

// submitRun does this with requests that belong together. Those that take long are not run on the reader's goroutine, which
// has more to read.
func (r *router) submitRun(b *Burst) (ended int64) {
	if b.origin.piece() > 0 {
		r.enqueuePieces(b)
		return 0
	}
	ran, ended, rest := r.runNow(b)
	if !ran {
		r.enqueue(b)
	}
	for rest != nil {
		b = rest
		if ran, ended, rest = r.runNow(b); !ran {
			r.requeue(b)
		}
	}
	return ended
}

// runNow runs a burst on the caller's goroutine, if nobody waits and a worker is idle. rest is what is left of it if a handler
// crashed: the next idle worker may have it at once, without another goroutine and another write.
func (r *router) runNow(b *Burst) (ran bool, ended int64, rest *Burst) {
	if r.ready.Load() > 0 || !r.hold(b) {
		return false, 0, nil
	}
	s := r.claim()
	if s == nil {
		return false, 0, nil
	}
	b.inline = true
	if !s.mailbox.TryRun(b) || !b.taken {
		b.inline = false // the worker was just being stopped or restarted
		return false, 0, nil
	}
	ended, rest, b.rest = b.ended, b.rest, nil
	r.stage.reads.Put(b.spare())
	b.recycle()
	return true, ended, rest
}

// hold has a burst hold its key slot, if it has one. It is false if another does.
func (r *router) hold(b *Burst) bool {
	if b.slot == noSlot {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.backlog.hold(b)
}

// unhold ends it, when the requests of the burst that have the key are over, or too late: the next burst may be served.
func (r *router) unhold(b *Burst) {
	if b.slot == noSlot || !b.holds.CompareAndSwap(true, false) {
		return
	}
	r.mu.Lock()
	r.backlog.release(b.slot)
	r.published()
	r.mu.Unlock()
	r.feed()
}

// published shows the backlog's size to those who look without the lock.
func (r *router) published() {
	r.ready.Store(int64(r.backlog.ready.requests))
	r.held.Store(int64(r.backlog.held))
}

// enqueuePieces has a burst wait: in one piece if its requests are fast, or are to be served one after the other anyway,
// else in pieces for as many workers as are idle.
func (r *router) enqueuePieces(b *Burst) {
	n := b.origin.piece()
	if n == 0 || b.slot != noSlot {
		r.enqueue(b)
		return
	}
	for _, piece := range slices.Backward(cut(b, n)) {
		r.enqueue(piece)
	}
}

// respread does the same, in pieces of n requests, with the rest of a burst that a worker had begun: it has its place in
// the backlog already.
func (r *router) respread(b *Burst, n int) {
	for _, piece := range cut(b, n) {
		r.requeue(piece)
	}
}

// cut cuts a burst into pieces of at most n requests, the last one first: what is cut off is copied.
func cut(b *Burst, n int) []*Burst {
	pieces := make([]*Burst, 0, b.size()/n+1)
	for b.size() > n {
		pieces = append(pieces, b.origin.split(b, b.size()-n))
	}
	return append(pieces, b)
}

// enqueue has a burst wait for a worker, or refuses it if too many requests wait already.
func (r *router) enqueue(b *Burst) {
	b.compact(r.stage.reads)
	b.queued = time.Now()
	r.mu.Lock()
	full := r.backlog.requests()+b.size() > r.stage.Queue
	gone := b.gone()
	if !full && !gone {
		r.backlog.push(b.origin.lane(), b, false)
		r.published()
	}
	r.mu.Unlock()
	switch {
	case gone:
		r.unhold(b)
	case full:
		r.reject(b)
	default:
		r.waited.Add(1)
		r.feed()
	}
}

// requeue has the rest of a burst served whose worker crashed. It was in the queue's account before, so the limit does
// not apply.
func (r *router) requeue(b *Burst) {
	b.queued = time.Now()
	r.mu.Lock()
	gone := b.gone()
	if !gone {
		r.backlog.push(b.origin.lane(), b, true)
		r.published()
	}
	r.mu.Unlock()
	if !gone {
		r.waited.Add(1)
		r.feed()
	}
}

// forget drops what waits of a connection that is gone: there is nobody to answer. What comes later was taken away from
// the pool before, and is not let in.
func (r *router) forget(l *lane) {
	r.mu.Lock()
	b := r.backlog.forget(l)
	r.published()
	r.mu.Unlock()
	for b != nil {
		next := b.next
		b.next = nil
		r.routed.Add(1)
		r.unhold(b)
		b = next
	}
}

// feed sets an idle worker, if there is one, on the queue. It follows each push, and each worker's coming to rest looks
// at the queue after it has become claimable: so one of the two sees the other.
func (r *router) feed() {
	if r.ready.Load() > 0 {
		s := r.claim()
		if s == nil {
			return
		}
		s.mailbox.PostUserMessage(messages.Pull{})
	}
}

// next takes the burst whose turn it is, or returns nil.
func (r *router) next() *Burst {
	if r.ready.Load() == 0 {
		return nil
	}
	r.mu.Lock()
	b := r.backlog.pop()
	r.published()
	r.mu.Unlock()
	if b != nil {
		r.routed.Add(1)
		r.wait.note(time.Since(b.queued))
	}
	return b
}

func (r *router) reject(b *Burst) {
	r.unhold(b)
	if !b.takeOver() {
		return
	}
	n := int64(b.size())
	b.refuse(&messages.Status{
		Code: messages.ResourceExhausted, Message: "the server's queue is full", RetryAfter: retryAfter, NotStarted: true,
	})
	r.rejected.Add(n)
	b.origin.complete(b)
	r.stage.reads.Put(b.spare())
	b.recycle()
}
