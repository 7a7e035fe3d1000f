package actors

import (
	"time"

	"github.com/understudy-go/understudy/messages"
)

const (
	// sweepIdle is how many sweeps that found nothing end the sweeping.
	sweepIdle = 100
	// maxSweepPause bounds how late a deadline is seen.
	maxSweepPause = 50 * time.Millisecond
)

// sight is what the sweeper last saw of a worker.
type sight struct {
	burst  *Burst
	cursor uint64
	since  time.Duration // on the router's clock
}

// at returns a time on the router's clock, which does not jump.
func (r *router) at(t time.Time) int64 { return int64(t.Sub(r.base)) }

// clock returns what the router's clock says: one look at the monotonic clock, which is half of what time.Now costs.
func (r *router) clock() int64 { return int64(time.Since(r.base)) }

// time returns a time on the router's clock as the world says it.
func (r *router) time(at int64) time.Time { return r.base.Add(time.Duration(at)) }

// watch has the sweeper run while workers serve.
func (r *router) watch() {
	if r.watching.Load() || !r.watching.CompareAndSwap(false, true) {
		return
	}
	r.now.Store(int64(time.Since(r.base)))
	r.stage.Tracker.Go(r.sweepOn)
}

// sweepOn is the sweeper: a goroutine that looks at all workers several times in a stall time, and ends when there has
// been nothing to look at for a while.
func (r *router) sweepOn() {
	tick := time.NewTicker(min(max(min(r.stage.Stall, r.stage.Deadline)/5, time.Millisecond), maxSweepPause))
	defer tick.Stop()
	for quiet := 0; quiet < sweepIdle; quiet++ {
		select {
		case <-tick.C:
		case <-r.stage.base.Done():
			return
		}
		if r.sweep() {
			quiet = 0
		}
	}
	r.watching.Store(false)
	// Who enters after the last sweep and before the store has not started another sweeper.
	if r.waiting() || r.serving() || r.asks.waiting() > 0 || r.sortings.any() {
		r.watch()
	}
}

func (r *router) serving() bool { return len(r.busy()) > 0 }

// sweep looks at every worker and at the queue, once. It reports whether there was anything.
func (r *router) sweep() (busy bool) {
	now := time.Since(r.base)
	r.now.Store(int64(now))
	for _, s := range r.busy() {
		b := s.current.Load()
		if b == nil {
			continue
		}
		busy = true
		c := b.cursor.Load()
		if s.current.Load() != b {
			continue // it may have been recycled, and c may be of another life
		}
		deadline, begun := s.deadline.Load(), time.Duration(s.begun.Load())
		if s.seen.burst != b || s.seen.cursor != c {
			s.seen = sight{b, c, now}
		}
		// If the worker goes on to another burst from here on, the cursor changes, and what follows does nothing.
		switch p := phase(c & 0xff); {
		case p == handling && int64(now) > deadline:
			if r.detach(s, b, c) {
				r.expire(b, c&^0xff|uint64(detached))
			}
		case p == handling && now-s.seen.since >= r.stage.Stall:
			r.detach(s, b, c)
		case p == handling && now-begun >= r.stage.Stall:
			r.relieve(s, b, c, now-begun)
		case p == detached && int64(now) > deadline:
			r.expire(b, c)
		case p == detached && now-s.seen.since >= r.stage.Stall && !s.givenUp.Load():
			r.detach(s, b, c) // it was relieved of the others before
		case p == seized && int64(now) > deadline:
			r.unhold(b) // its handler does not return
		}
	}
	if r.waiting() {
		busy = true
		r.expireQueue(now)
	} else {
		r.wait.look(time.Time{}, time.Time{}, time.Time{})
	}
	if r.stage.Table.keys {
		busy = r.expireSortings(r.base.Add(now)) || busy
	}
	if r.stage.Table.asks {
		busy = r.asks.expire(r.base.Add(now)) || busy
	}
	return r.resize(now) || busy
}

// resize has the pool grow or shrink, if that is due. It reports whether there is anything to look at again.
func (r *router) resize(now time.Duration) bool {
	placed, idle := int(r.placed.Load()), r.idle.count()
	size := r.sizer.look(now, idle, placed-idle, time.Duration(r.wait.ready.Load()))
	r.size.Store(int64(size))
	if pool := r.pool.Load(); placed != size && pool != nil && r.resizing.CompareAndSwap(false, true) {
		r.stage.system.Root.Send(pool, messages.Resize{})
	}
	return size > r.stage.Workers // it will want to shrink
}

func (r *router) waiting() bool { return r.ready.Load() > 0 || r.held.Load() > 0 }

// Everything below begins with a compare-and-swap from the cursor that was looked at: if the worker has gone on since, or
// the burst is in another life, it does nothing.

// detach leaves a worker alone with the request that it is handling, hands the burst's other requests on, and has the pool
// put another worker in its place.
func (r *router) detach(s *slot, b *Burst, c uint64) bool {
	if !b.cursor.CompareAndSwap(c, c&^0xff|uint64(detaching)) {
		return false
	}
	// From here on the burst is ours, until the cursor says detached.
	k := int(c >> 8 & (maxBurst - 1))
	if frame, refused := b.frame(k); !refused {
		var found call
		if err := r.stage.Table.find(&found, frame); err == nil {
			s.stalled.Store(found.handler)
			found.handler.stalled.Add(1)
			r.detached.Add(1)
			s.unsuspect()
		}
	}
	s.tally(b, k)
	rest := b.origin.detach(b, k, true)
	r.giveUp(s, r.stage.system)
	r.handOn(b, k, rest, 1)
	return true
}

// relieve takes the rest of its burst from a worker that has been at it for a stall time, no request of which is stalled:
// the requests are slow, and go to as many workers as are idle.
func (r *router) relieve(s *slot, b *Burst, c uint64, took time.Duration) {
	if !b.cursor.CompareAndSwap(c, c&^0xff|uint64(detaching)) {
		return
	}
	k := int(c >> 8 & (maxBurst - 1))
	if k+1 >= b.size() {
		b.cursor.Store(c)
		return
	}
	s.tally(b, k)
	each := max(took/time.Duration(k+1), 1)
	r.handOn(b, k, b.origin.detach(b, k, false), max(1, int(spreadLimit/each)))
}

// handOn ends the detaching: the worker has request k, and rest, which may be nil, is served by others, in pieces of n.
//
// With a key, the rest is in one piece, and waits for the slot before the worker can let go of it: else a later request of the
// connection might get in between.
func (r *router) handOn(b *Burst, k int, rest *Burst, n int) {
	keyed := rest != nil && rest.slot != noSlot
	if keyed {
		r.requeue(rest)
	}
	b.cursor.Store(b.cursorOf(detached, k))
	if rest != nil && !keyed {
		r.respread(rest, n)
	}
}

// expire answers a detached request whose deadline has passed.
func (r *router) expire(b *Burst, c uint64) {
	if !b.cursor.CompareAndSwap(c, c&^0xff|uint64(seized)) {
		return
	}
	b.ctx.end()
	r.timedOut.Add(1)
	b.inline = false
	b.out = nil
	b.status(b.origin.encoder(), int(c>>8&(maxBurst-1)), tooLate(false))
	b.origin.complete(b)
}

// expireQueue answers what has waited in the backlog until its deadline.
func (r *router) expireQueue(now time.Duration) {
	r.mu.Lock()
	b, ready, held := r.backlog.popLate(r.base.Add(now))
	r.published()
	r.mu.Unlock()
	r.wait.look(r.base.Add(now), ready, held)
	for b != nil {
		next := b.next
		b.next = nil
		r.routed.Add(1)
		r.wait.note(r.base.Add(now).Sub(b.queued))
		if b.takeOver() {
			r.timedOut.Add(int64(b.size()))
			b.refuse(tooLate(true))
			b.ctx.end()
			b.origin.complete(b)
		}
		r.unhold(b)
		b = next
	}
}
