//go:build model

package model

// session is the session actor.
type session struct {
	at       at
	arrived  bool // messages in the mailbox; Replied is connection.woken
	ended    bool
	expire   bool
	draining bool
	closing  bool
	next     int8 // segment in window.pending
	seen     cursor
	again    bool // something could not be seized
	outbox   replies
}

const (
	sessionIdle at = iota
	sessionExpire
	sessionExpireNext
	sessionExpireSwap
	sessionRelease
	sessionWrite
	sessionUnwake // without WokenFirst
	sessionSettle
	sessionAbandonNext
	sessionAbandonSwap
)

func (m *machine) sessionStep(s state) {
	x, c := &s.session, &s.conn
	switch x.at {
	case sessionIdle:
		m.receive(s)
	case sessionExpire: // expire
		c.mu, x.next, x.again = theSession, c.head, false
		x.at = sessionExpireNext
		m.emit(theSession, "expire: locks", &s)
	case sessionExpireNext, sessionAbandonNext: // window.pending, and the load in seize
		for x.next != none && c.segments[x.next].done {
			x.next = c.segments[x.next].next
		}
		if x.next == none {
			m.pendingEnds(s)
			return
		}
		b := &s.bursts[c.segments[x.next].burst]
		if b.use != used {
			s.fail(noGhosts)
		}
		x.seen = b.cursor
		x.at++
		m.emit(theSession, "seize: loads", &s)
	case sessionExpireSwap, sessionAbandonSwap:
		m.seizePending(s)
	case sessionRelease: // flush
		if c.closed {
			x.at = sessionIdle
		} else {
			x.outbox = s.release()
			x.at = sessionWrite
		}
		m.emit(theSession, "flush: release", &s)
	case sessionWrite:
		s.send(x.outbox)
		c.inflight -= x.outbox.n
		c.answered += x.outbox.n
		x.outbox = replies{}
		x.at = sessionSettle
		if !m.on(WokenFirst) {
			x.at = sessionUnwake
		}
		m.emit(theSession, "flush: writes, account", &s)
	case sessionUnwake:
		c.woken, x.at = false, sessionSettle
		m.emit(theSession, "onReplied: clears woken", &s)
	case sessionSettle: // settle
		if x.draining && c.inflight == 0 && (c.ended || c.stop) {
			c.sealed, c.stop, x.closing = true, true, true
		}
		x.at = sessionIdle
		m.emit(theSession, "settle", &s)
	}
}

// receive is session.Receive: messages in any order.
func (m *machine) receive(s state) {
	if s.session.arrived {
		n := s
		n.session.arrived = false
		n.conn.arrival = arrivalAdmitted
		if s.session.closing || s.conn.closed {
			n.conn.arrival = arrivalRefused
		}
		m.emit(theSession, "onArrived", &n)
	}
	if s.conn.closed {
		return
	}
	if s.conn.woken {
		n := s
		if m.on(WokenFirst) {
			n.conn.woken = false
		}
		n.session.at = sessionRelease
		m.emit(theSession, "onReplied", &n)
	}
	if s.session.ended {
		n := s
		n.session.ended, n.session.draining = false, true
		n.session.at = sessionSettle
		m.emit(theSession, "onInputEnded", &n)
	}
	if s.session.expire {
		n := s
		n.session.expire = false
		if !s.session.closing {
			n.session.draining, n.conn.stop = true, true
			n.session.at = sessionExpire
		}
		m.emit(theSession, "onExpire", &n)
	}
}

// drop is the failure of the socket, and the first step of abandon.
func (m *machine) drop(s state) {
	if s.world.drops == 0 || s.session.at != sessionIdle || s.conn.closed || s.session.closing {
		return
	}
	s.world.drops--
	s.conn.mu, s.conn.closed, s.conn.stop = theSession, true, true
	s.session.at, s.session.next = sessionAbandonNext, s.conn.head
	m.emit(theSession, "the socket fails; abandon: locks", &s)
}

// seizePending is the swap in seize, and what connection.expire and abandon make of it.
func (m *machine) seizePending(s state) {
	x, c := &s.session, &s.conn
	i := x.next
	g := c.segments[i]
	b := &s.bursts[g.burst]
	expire := x.at == sessionExpireSwap
	ok := m.seize(b, x.seen, theSession)
	x.again = x.again || !ok && expire
	if ok && expire {
		s.write(g.burst, b.life, theSession)
		out := b.out
		for k := b.answered; k < g.requests; k++ {
			out.add(&s, reply{g.first + k, unavailable})
		}
		s.complete(i, out)
	}
	x.seen, x.next = cursor{}, g.next
	x.at--
	m.emit(theSession, "seize: swaps", &s)
}

// pendingEnds unlocks.
func (m *machine) pendingEnds(s state) {
	x, c := &s.session, &s.conn
	c.mu, x.next = nobody, 0
	if x.at == sessionExpireNext {
		x.expire = x.expire || x.again // expireIn
		x.again = false
		x.at = sessionRelease
		m.emit(theSession, "expire: unlocks", &s)
		return
	}
	s.release()
	c.dropped += c.inflight
	c.inflight = 0
	x.at = sessionIdle
	m.emit(theSession, "abandon: unlocks", &s)
}

// seize is Burst.seize, after its load.
func (m *machine) seize(b *burst, seen cursor, by who) bool {
	switch seen.phase {
	case waiting, handling, detached:
	default:
		return false
	}
	if b.cursor == seen {
		b.owner, b.spoiled = by, true
	} else if m.on(SeizeSwaps) {
		return false
	}
	b.cursor = seen
	b.cursor.phase = seized
	return true
}
