package load

// sendAllDue sends what is due on all connections that have room.
func (l *loop) sendAllDue(now int64) int64 {
	for len(l.dues) > 0 && l.dues[0].schedule.next <= min(now, l.to.Load()-1) {
		l.sendDue(l.dues[0], now)
		now = l.clock()
	}
	return now
}

// sendDue sends what is due on a connection, as far as there is room, with one write. The connection is the first of dues,
// or not in it; afterwards it is in dues if there is room for more.
func (l *loop) sendDue(c *conn, now int64) {
	n, until := 0, min(now, l.to.Load()-1)
	for c.schedule.next <= until && c.inflight < l.depth && !c.full && !c.closed {
		stamp := c.schedule.next
		l.add(c, 1, stamp)
		if l.measured(stamp) && now-stamp >= lateAfter {
			l.tally.late++
			if now-max(stamp, c.roomy) >= lateAfter {
				l.tally.ownLate++
			}
		}
		c.schedule.advance()
		n++
	}
	if n > 0 {
		l.flush(c, now)
	}
	room := c.inflight < l.depth && !c.full && !c.closed
	switch {
	case c.due && room:
		l.dues.sink()
	case c.due:
		l.dues.pop()
		c.due = false
	case room:
		c.due = true
		l.dues.push(c)
	}
}

// slices is in how many steps arrivals that were not sent are recorded.
const slices = 1000

// countUnsent counts the arrivals of a connection that were due before the time until, and were not sent: as having waited
// until now, at least. Of many, the times between the first and the last are taken as evenly spread.
func (l *loop) countUnsent(c *conn, now, until int64) {
	from := max(c.schedule.next, l.from)
	if from >= until {
		return
	}
	n := c.schedule.expected(until - from)
	l.tally.unsent += n
	steps := min(n, slices)
	for i := range steps {
		some := n*(i+1)/steps - n*i/steps
		at := from + int64(float64(until-from)*float64(i)/float64(steps))
		l.tally.record(now-at, some)
	}
}
