package actors

import "time"

// keySlots is how many slots keys are hashed to.
const keySlots = 1024

// backlog is what waits for a worker: bursts that any idle worker may take, in a fair queue, and behind them those whose
// key slot is held by another burst. One burst of a slot at a time is in the queue or at a worker, so that what has the
// same key is served one after the other, and in the order of its arrival on each connection, whatever becomes of workers
// meanwhile. Who holds a slot does so until its requests are over, or their deadline is.
//
// It is plain data: the router's lock guards it.
type backlog struct {
	ready queue
	slots []keySlot // by number; nil if no request ever had a key
	held  int       // requests that wait for a slot
	mixed bool
}

// keySlot is where bursts wait for the one that holds the slot: a lane for each connection, in turn.
type keySlot struct {
	taken   bool
	waiting queue
	lanes   map[*lane]*lane // by the connection's lane
}

// mix says that bursts have deadlines in another order than they arrive in.
func (q *backlog) mix(mixed bool) { q.mixed, q.ready.mixed = mixed, mixed }

// requests returns how many requests wait.
func (q *backlog) requests() int { return q.ready.requests + q.held }

// push adds a burst of a connection, whose lane it is, behind all that the connection has waiting; or in front, if its
// turn had come before.
func (q *backlog) push(l *lane, b *Burst, front bool) {
	if !q.hold(b) {
		q.wait(l, b, front)
		return
	}
	if front {
		q.ready.pushFront(l, b)
	} else {
		q.ready.push(l, b)
	}
}

// hold has a burst hold its slot, if it has one. It is false if another one does.
func (q *backlog) hold(b *Burst) bool {
	if b.slot == noSlot || b.holds.Load() {
		return true
	}
	if q.slots == nil {
		q.slots = make([]keySlot, keySlots)
	}
	s := &q.slots[b.slot-1]
	if s.taken {
		return false
	}
	s.taken, s.waiting.mixed = true, q.mixed
	b.holds.Store(true)
	return true
}

func (q *backlog) wait(l *lane, b *Burst, front bool) {
	s := &q.slots[b.slot-1]
	own := s.lanes[l]
	if own == nil {
		if s.lanes == nil {
			s.lanes = make(map[*lane]*lane)
		}
		own = new(lane)
		s.lanes[l] = own
	}
	if front {
		s.waiting.pushFront(own, b)
	} else {
		s.waiting.push(own, b)
	}
	q.held += b.size()
}

// release has the slot of a burst that held it, and is over, held by the next one that waits for it.
func (q *backlog) release(slot uint16) {
	s := &q.slots[slot-1]
	s.taken = false
	b := s.waiting.pop()
	if b == nil {
		return
	}
	q.held -= b.size()
	l := b.origin.lane()
	s.forgetIfEmpty(l)
	q.hold(b)
	q.ready.insert(l, b)
}

// pop takes the burst whose turn it is, or returns nil.
func (q *backlog) pop() *Burst { return q.ready.pop() }

// popLate takes out every burst whose deadline is before now, linked by next. ready and held are when the first of those
// that are left began to wait, for a worker or for a slot; the zero time if there is none.
func (q *backlog) popLate(now time.Time) (late *Burst, ready, held time.Time) {
	late, ready = q.ready.popLate(now)
	if q.held == 0 {
		return late, ready, held
	}
	for i := range q.slots {
		s := &q.slots[i]
		if s.waiting.requests == 0 {
			continue
		}
		before := s.waiting.requests
		first, since := s.waiting.popLate(now)
		q.held -= before - s.waiting.requests
		held = earlier(held, since)
		for b := first; b != nil; {
			next := b.next
			b.next, late = late, b
			s.forgetIfEmpty(b.origin.lane())
			b = next
		}
	}
	return late, ready, held
}

// forgetIfEmpty drops the lane of a connection that has nothing waiting any more.
func (s *keySlot) forgetIfEmpty(l *lane) {
	if own := s.lanes[l]; own != nil && own.head == nil {
		s.leave(l)
	}
}

// leave drops a lane. A map keeps the memory of all that it ever had, so an empty one goes too.
func (s *keySlot) leave(l *lane) {
	if delete(s.lanes, l); len(s.lanes) == 0 {
		s.lanes = nil
	}
}

// forget takes out all bursts of a connection, those excepted that waited for a slot, linked by next.
func (q *backlog) forget(l *lane) *Burst {
	if q.held > 0 {
		for i := range q.slots {
			s := &q.slots[i]
			if own := s.lanes[l]; own != nil {
				before := s.waiting.requests
				s.waiting.forget(own) // they hold nothing
				q.held -= before - s.waiting.requests
				s.leave(l)
			}
		}
	}
	return q.ready.forget(l)
}

// earlier returns the earlier of two times, of which a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
