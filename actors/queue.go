package actors

import "time"

// queue is the pool's queue of bursts: a lane for each session that has some waiting, served in turn, so that a session
// with a thousand bursts delays one with a single burst by one burst only. It is plain data: the router's lock guards it.
type queue struct {
	turn     *lane // the lane whose turn it is; the others follow in a ring
	last     *lane
	requests int  // waiting, in all lanes
	mixed    bool // bursts behind one may have an earlier deadline
}

// lane holds the bursts of one session, in order.
type lane struct {
	head, tail *Burst
	next       *lane
	queued     bool
}

// push adds a burst at the end of its lane.
func (q *queue) push(l *lane, b *Burst) {
	b.next = nil
	if l.tail == nil {
		l.head = b
	} else {
		l.tail.next = b
	}
	l.tail = b
	q.requests += b.size()
	q.enter(l)
}

// pushFront adds a burst at the head of its lane: it was served before, in part.
func (q *queue) pushFront(l *lane, b *Burst) {
	b.next = l.head
	l.head = b
	if l.tail == nil {
		l.tail = b
	}
	q.requests += b.size()
	q.enter(l)
}

func (q *queue) enter(l *lane) {
	if l.queued {
		return
	}
	l.queued, l.next = true, nil
	if q.turn == nil {
		q.turn = l
	} else {
		q.last.next = l
	}
	q.last = l
}

// insert adds a burst to its lane before all that have a later deadline. It walks over those that do not.
func (q *queue) insert(l *lane, b *Burst) {
	at := &l.head
	for *at != nil && !b.deadline.Before((*at).deadline) {
		at = &(*at).next
	}
	b.next, *at = *at, b
	if b.next == nil {
		l.tail = b
	}
	q.requests += b.size()
	q.enter(l)
}

// popLate takes out every burst whose deadline is before now, linked by next. Unless deadlines are mixed a lane's first burst
// has its earliest. oldest is since when the first of those that are left has waited; the zero time if none is left.
func (q *queue) popLate(now time.Time) (first *Burst, oldest time.Time) {
	l := q.turn
	q.turn, q.last = nil, nil
	for l != nil {
		next := l.next
		l.next, l.queued = nil, false
		var kept *Burst // the last one so far
		for at := &l.head; *at != nil; {
			b := *at
			if b.deadline.Before(now) {
				*at = b.next
				b.next, first = first, b
				q.requests -= b.size()
				continue
			}
			if kept = b; !q.mixed {
				kept = l.tail
				break
			}
			at = &b.next
		}
		if l.tail = kept; kept != nil {
			oldest = earlier(oldest, l.head.queued)
			q.enter(l)
		}
		l = next
	}
	return first, oldest
}

// forget takes a lane out, with all its bursts, linked by next.
func (q *queue) forget(l *lane) (first *Burst) {
	if !l.queued {
		return nil
	}
	at := q.turn
	q.turn, q.last = nil, nil
	for at != nil {
		next := at.next
		at.next, at.queued = nil, false
		if at != l {
			q.enter(at)
		}
		at = next
	}
	for b := l.head; b != nil; b = b.next {
		q.requests -= b.size()
	}
	first, l.head, l.tail = l.head, nil, nil
	return first
}

// pop takes the first burst of the lane whose turn it is, and passes the turn on.
func (q *queue) pop() *Burst {
	l := q.turn
	if l == nil {
		return nil
	}
	b := l.head
	l.head, b.next = b.next, nil
	if l.head == nil {
		l.tail = nil
	}
	q.requests -= b.size()
	q.turn, l.next, l.queued = l.next, nil, false
	if q.turn == nil {
		q.last = nil
	}
	if l.head != nil {
		q.enter(l)
	}
	return b
}
