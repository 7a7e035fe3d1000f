package load

import "syscall"

// conn is one connection. Only its loop's goroutine touches it.
type conn struct {
	fd     int
	number int   // in the run, from 0
	slot   int32 // in its loop

	// Requests: what is to be written is a piece of the deck.
	outAt, outLen int  // bytes of Deck.requests
	next          int  // the exchange to be sent next
	full          bool // the socket took no more: epoll tells when it does

	// Replies.
	first    int    // the exchange whose reply is due first
	inflight int    // replies that are due
	at       int    // the byte of Deck.replies that is due next
	held     []byte // replies, and a part of one, that are being looked at one by one; see verify.go
	slow     bool   // held is in use
	count    int64  // replies so far

	bursts bursts // when the requests in flight were sent

	left int // requests that it may still send, if that is limited

	// In an open loop.
	schedule schedule
	due      bool  // it stands in dues
	roomy    int64 // since when there has been room to send

	finishing bool // it has said that it sends nothing more
	closed    bool
}

// add puts n requests in line for writing, and notes when they were sent.
func (l *loop) add(c *conn, n int, stamp int64) {
	d := l.deck
	c.outLen += d.requestAt[c.next+n] - d.requestAt[c.next]
	if c.next += n; c.next >= d.n {
		c.next -= d.n
	}
	c.inflight += n
	c.bursts.add(stamp, int64(n))
	if l.measured(stamp) {
		l.tally.requests += int64(n)
	}
}

// flush writes what is in line, as far as the socket takes it.
func (l *loop) flush(c *conn, now int64) {
	if c.full || c.closed {
		return
	}
	for c.outLen > 0 {
		n, errno := write(c.fd, l.deck.requests[c.outAt:c.outAt+c.outLen])
		switch errno {
		case 0:
			c.outAt += n
			c.outLen -= n
			if end := l.deck.requestAt[l.deck.n]; c.outAt >= end {
				c.outAt -= end
			}
			if l.measured(now) {
				l.tally.sent += int64(n)
				l.tally.bursts++
			}
		case syscall.EINTR:
		case syscall.EAGAIN:
			c.full = true
			l.watch(c, syscall.EPOLLIN|syscall.EPOLLOUT)
			return
		default:
			l.lose(c, errno)
			return
		}
	}
}

// settle notes that the next n replies have come.
func (l *loop) settle(c *conn, n int, now int64) {
	d := l.deck
	c.inflight -= n
	c.count += int64(n)
	l.replies.Store(l.replies.Load() + int64(n)) // nobody else writes it
	if c.first += n; c.first >= d.n {
		c.first -= d.n
		c.at -= d.replyAt[d.n]
	}
	if l.measured(now) {
		l.tally.arrived += int64(n)
	}
	for left := int64(n); left > 0; {
		b := c.bursts.first()
		some := min(left, b.count)
		if l.measured(b.stamp) {
			l.tally.answered += some
			l.tally.record(now-b.stamp, some)
		}
		left -= some
		if b.count -= some; b.count == 0 {
			c.bursts.drop()
		}
	}
}

// readable reads once, and sends what there is now room for.
func (l *loop) readable(c *conn) {
	n, errno := read(c.fd, l.buf)
	now := l.clock()
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
		return
	case errno != 0:
		l.lose(c, errno)
		return
	case n == 0:
		l.ended(c)
		return
	}
	if l.measured(now) {
		l.tally.received += int64(n)
	}
	if !l.receive(c, l.buf[:n], now) {
		return
	}
	l.refill(c, now)
}

// refill sends what there is room for and a reason to send.
func (l *loop) refill(c *conn, now int64) {
	switch {
	case c.closed:
	case l.ending || l.rate == 0 && now >= l.to.Load(): // in an open loop what was due before the end is still sent
		l.finish(c)
	case l.rate > 0 && !c.due:
		c.roomy = now
		l.sendDue(c, now)
	case l.rate > 0: // it has had room all the time, and its turn comes
	case l.each > 0:
		l.sendLast(c, now)
	case c.inflight < l.depth:
		l.add(c, l.depth-c.inflight, now)
		l.flush(c, now)
	}
}
