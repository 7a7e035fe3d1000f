//go:build model

package model

// reader is a reader's goroutine.
type reader struct {
	at      at
	burst   int8
	life    int8
	input   int8 // which burst it has read
	claimed int8 // a worker
	pieces  [maxRequests]int8
	left    int8 // of the pieces
}

const (
	readerGone at = iota
	readerTake
	readerArrive
	readerAdmit
	readerWait
	readerSubmit
	readerSpread
	readerClaim
	readerTry
	readerRuns
	readerRecycle
	readerEnqueue
	readerPush // without PushThenLook
	readerLook
	readerFeed
	readerReject
	readerRefuse
	readerComplete
	readerRejected
	readerWake
)

// reader is connection.read.
func (m *machine) reader(s state, i int8) {
	r, c := &s.readers[i], &s.conn
	me := reader0 + who(i)
	var b *burst
	if r.at > readerArrive {
		b = &s.bursts[r.burst]
	}
	switch r.at {
	case readerTake: // take, which looks at the reader's epoch
		if m.on(ReaderEpoch) && i == 0 && c.replaced {
			r.at = readerGone
			m.emit(me, "was replaced", &s)
			return
		}
		if c.stop || int(c.taken) == len(m.Bursts) {
			r.at, c.ended, s.session.ended = readerGone, true, true
			m.emit(me, "endInput", &s)
			return
		}
		r.input = c.taken
		c.taken++
		r.at = readerArrive
		m.emit(me, "take: reads a burst", &s)
	case readerArrive: // arrive
		if c.mu != nobody {
			return
		}
		if m.on(SealedRefuses) && c.sealed || m.on(ClosedRefuses) && c.closed {
			r.at = readerTake
			m.emit(me, "arrive: nothing more is taken", &s)
			return
		}
		n, first := m.Bursts[r.input], int8(0)
		for _, earlier := range m.Bursts[:r.input] {
			first += earlier
		}
		r.burst = s.newBurst(false)
		b = &s.bursts[r.burst]
		r.life = b.life
		if first != c.decoded {
			s.fail(inOrder)
		}
		b.first, b.size, b.born, b.owner = first, n, s.world.time, me
		b.segment = c.append(r.burst, first, n)
		c.inflight += n
		c.decoded += n
		r.at = readerAdmit
		m.emit(me, "arrive", &s)
	case readerAdmit: // dispatch
		c.arrival, s.session.arrived = arrivalPending, true
		r.at = readerWait
		m.emit(me, "dispatch: sends Arrived", &s)
	case readerWait:
		if c.arrival == arrivalPending && !c.closed {
			return
		}
		r.at = readerTake
		if c.arrival == arrivalAdmitted {
			c.arrival, r.at = arrivalNone, readerSubmit
		}
		m.emit(me, "dispatch: has the session's answer", &s)
	case readerSubmit: // submit
		switch {
		case m.Spread:
			r.at = readerSpread
			m.spread(&s, i)
			return
		case s.pool.length == 0:
			r.at = readerClaim
		default:
			r.at = readerEnqueue
		}
		m.emit(me, "submit: looks whether anybody waits", &s)
	case readerSpread: // spread
		m.spread(&s, i)
	case readerClaim:
		r.at = readerTry
		if r.claimed = s.claim(); r.claimed == none {
			r.at, r.claimed = readerEnqueue, 0
		}
		m.emit(me, "submit: claim", &s)
	case readerTry: // Mailbox.TryRun
		w := &s.workers[r.claimed]
		b.inline = true
		if w.at == workerResting && w.pulls == 0 {
			w.at, w.burst, w.life, w.reader = workerBegin, r.burst, r.life, i
			r.at = readerRuns
			m.emit(me, "submit: TryRun runs the burst", &s)
			return
		}
		if m.on(RefusedIsNotInline) {
			b.inline = false
		}
		r.at = readerEnqueue
		m.emit(me, "submit: TryRun cannot run the burst", &s)
	case readerRecycle:
		m.recycle(&s, r.burst, r.life)
		r.at = readerWake
		m.emit(me, "submit: recycle", &s)
	case readerEnqueue: // enqueue
		if !m.on(PushThenLook) {
			r.at = readerPush
			if s.pool.length > 0 {
				s.feed()
			}
			m.emit(me, "enqueue: feed", &s)
			return
		}
		m.push(&s, i)
	case readerPush:
		m.push(&s, i)
	case readerLook:
		if s.pool.length > 0 {
			r.at = readerFeed
		} else {
			r.goOn(&s)
		}
		m.emit(me, "feed: looks at the queue", &s)
	case readerFeed:
		s.feed()
		r.goOn(&s)
		m.emit(me, "feed: claims a worker, if one is idle, and has it pull", &s)
	case readerReject: // reject
		to := encoding
		if !m.on(RejectTakesOver) {
			to = handling
		}
		if b.wins(me, true, waiting, 0, to) {
			r.at = readerRefuse
		} else {
			r.goOn(&s)
		}
		m.emit(me, "reject: takeOver", &s)
	case readerRefuse:
		s.refuse(r.burst, r.life, me, rejected)
		r.at = readerComplete
		if !m.on(CompleteFirst) {
			m.recycle(&s, r.burst, r.life)
		}
		m.emit(me, "reject: refuse", &s)
	case readerComplete:
		if c.mu != nobody {
			return
		}
		m.complete(&s, r.burst, r.life)
		r.at = readerRejected
		m.emit(me, "reject: complete", &s)
	case readerRejected:
		if m.on(CompleteFirst) {
			m.recycle(&s, r.burst, r.life)
		}
		r.goOn(&s) // the wake that complete asks for is that of dispatch, which follows
		m.emit(me, "reject: recycle", &s)
	case readerWake:
		c.woken = true
		r.at, r.burst, r.life = readerTake, 0, 0
		m.emit(me, "dispatch: wake", &s)
	}
}

// goOn takes the next piece of a burst that is spread, or ends submit.
func (r *reader) goOn(s *state) {
	r.at = readerWake
	if r.left > 0 {
		r.left--
		r.burst, r.at = r.pieces[r.left], readerEnqueue
		r.pieces[r.left] = 0
		r.life = s.bursts[r.burst].life
	}
}

// refuse is Burst.refuse.
func (s *state) refuse(b, life int8, by who, kind int8) {
	x := s.write(b, life, by)
	for k := range x.size {
		x.out.add(s, reply{x.first + k, kind})
	}
	x.answered = x.size
	x.cursor.phase, x.cursor.k = done, x.size
}

// push is the critical section of router.enqueue.
func (m *machine) push(s *state, i int8) {
	r := &s.readers[i]
	if m.full(s, r.burst) {
		r.at = readerReject
		m.emit(reader0+who(i), "enqueue: the queue is full", s)
		return
	}
	s.pool.push(r.burst, false)
	s.bursts[r.burst].release(reader0 + who(i))
	r.at = readerLook
	if !m.on(PushThenLook) {
		r.goOn(s)
	}
	m.emit(reader0+who(i), "enqueue: push", s)
}

func (m *machine) full(s *state, b int8) bool {
	n := s.bursts[b].size
	for _, b := range s.pool.queue[:s.pool.length] {
		n += s.bursts[b].size
	}
	return n > m.Queue
}

// release ends an ownership, if it was not lost before.
func (b *burst) release(by who) {
	if b.owner == by {
		b.owner = nobody
	}
}

// spread is one turn of the loop in router.spread. What it cuts off is nobody's but the reader's, who does not look at
// replies: so nothing is asked about who owns them.
func (m *machine) spread(s *state, i int8) {
	r := &s.readers[i]
	b := &s.bursts[r.burst]
	if b.size == 1 {
		r.at = readerEnqueue
		m.emit(reader0+who(i), "spread: has cut it", s)
		return
	}
	if s.conn.mu != nobody {
		return
	}
	r.pieces[r.left] = m.split(s, r.burst, b.size-1)
	r.left++
	m.emit(reader0+who(i), "spread: split", s)
}
