package actors

import (
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
	slots []atomic.Pointer[slot]

	mu     sync.Mutex
	queue  queue
	length atomic.Int64 // bursts in the queue

	routed   atomic.Int64 // bursts that left the queue or went past it; those run inline count in their slots
	waited   atomic.Int64
	rejected atomic.Int64
	late     atomic.Int64
	pastMu   sync.Mutex
	past     Counts // of slots that were replaced
}

func newRouter(st *Stage) *router {
	return &router{stage: st, idle: newIdleSet(st.Workers), slots: make([]atomic.Pointer[slot], st.Workers)}
}

// submit has a burst served: at once, on the caller's goroutine, if a worker is idle and nobody waits; by a worker's own
// goroutine, later, if not. The burst has its replies when submit returns, or will have, in any case.
func (r *router) submit(b *Burst) {
	if r.length.Load() == 0 {
		if s := r.claim(); s != nil {
			b.inline = true
			ran := s.mailbox.TryRun(b)
			if ran && b.taken {
				r.stage.reads.Put(b.spare())
				b.recycle()
				return
			}
			b.inline = false // the worker was just being stopped or restarted
		}
	}
	r.enqueue(b)
}

// claim takes an idle worker, or returns nil.
func (r *router) claim() *slot {
	for {
		i := r.idle.claim()
		if i < 0 {
			return nil
		}
		if s := r.slots[i].Load(); s != nil && s.alive.Load() {
			return s
		}
	}
}

// enqueue has a burst wait for a worker, or refuses it if too many requests wait already.
func (r *router) enqueue(b *Burst) {
	b.compact(r.stage.reads)
	n := int64(b.size())
	r.mu.Lock()
	full := r.queue.requests+int(n) > r.stage.Queue
	if !full {
		r.queue.push(b.origin.lane(), b)
		r.length.Add(1)
	}
	r.mu.Unlock()
	if full {
		r.reject(b)
		return
	}
	r.waited.Add(1)
	r.feed()
}

// requeue has the rest of a burst served whose worker crashed. It was in the queue's account before, so the limit does
// not apply.
func (r *router) requeue(b *Burst) {
	r.mu.Lock()
	r.queue.pushFront(b.origin.lane(), b)
	r.length.Add(1)
	r.mu.Unlock()
	r.feed()
}

// feed sets an idle worker, if there is one, on the queue. It follows each push, and each worker's coming to rest looks
// at the queue after it has become claimable: so one of the two sees the other.
func (r *router) feed() {
	if r.length.Load() > 0 {
		s := r.claim()
		if s == nil {
			return
		}
		s.mailbox.PostUserMessage(messages.Pull{})
	}
}

// next takes the burst whose turn it is, or returns nil.
func (r *router) next() *Burst {
	if r.length.Load() == 0 {
		return nil
	}
	r.mu.Lock()
	b := r.queue.pop()
	if b != nil {
		r.length.Add(-1)
	}
	r.mu.Unlock()
	if b != nil {
		r.routed.Add(1)
	}
	return b
}

func (r *router) reject(b *Burst) {
	if !b.begin() {
		return
	}
	n := int64(b.size())
	b.refuse(&messages.Status{
		Code: messages.ResourceExhausted, Message: "the server's queue is full", RetryAfter: retryAfter, NotStarted: true,
	})
	b.cursor.Store(b.cursorOf(done, b.size()))
	r.rejected.Add(n)
	b.origin.complete(b)
	b.recycle()
}

func (r *router) count(c *Counts) {
	r.pastMu.Lock()
	c.addWorkers(&r.past)
	r.pastMu.Unlock()
	for i := range r.slots {
		if s := r.slots[i].Load(); s != nil {
			s.count(c)
		}
	}
	c.QueuedBursts += r.waited.Load()
	c.PoolBursts += r.routed.Load()
	c.Rejected += r.rejected.Load()
	c.Codes[messages.ResourceExhausted] += r.rejected.Load()
	c.Late += r.late.Load()
}

// retire takes over the counts of a slot that is replaced.
func (r *router) retire(s *slot) {
	r.pastMu.Lock()
	defer r.pastMu.Unlock()
	s.count(&r.past)
}

// servedBy returns how many requests a worker has served since it was last started.
func (r *router) servedBy(worker *actor.PID) int64 {
	for i := range r.slots {
		if s := r.slots[i].Load(); s != nil && s.name == worker.Id {
			return s.served.Load()
		}
	}
	return 0
}
