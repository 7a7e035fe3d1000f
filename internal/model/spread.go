//go:build model

package model

// The sweeper hands the rest of a burst on, in pieces.

// spreadRest is router.spread, for the requests behind the one that is left alone. They are in nobody's hands but the
// sweeper's and, while they wait in the window, the session's.
func (m *machine) spreadRest(s state) {
	v, c := &s.sweeper, &s.conn
	switch v.at {
	case sweeperSpread:
		if v.rest == none {
			v.spreadEnds()
			m.emit(theSweeper, "detach: nobody is behind", &s)
			return
		}
		if s.bursts[v.rest].size == 1 {
			v.at = sweeperEnqueue
			m.emit(theSweeper, "spread: has cut it", &s)
			return
		}
		if c.mu != nobody {
			return
		}
		v.pieces[v.left] = m.split(&s, v.rest, s.bursts[v.rest].size-1)
		v.left++
		m.emit(theSweeper, "spread: split", &s)
	case sweeperEnqueue: // enqueue
		if m.full(&s, v.rest) {
			v.at = sweeperReject
			m.emit(theSweeper, "enqueue: the queue is full", &s)
			return
		}
		s.pool.push(v.rest, false)
		v.at, v.rest = sweeperLook, none
		m.emit(theSweeper, "enqueue: push", &s)
	case sweeperLook:
		v.at = sweeperFeed
		if s.pool.length == 0 {
			v.nextPiece()
		}
		m.emit(theSweeper, "feed: looks at the queue", &s)
	case sweeperFeed:
		s.feed()
		v.nextPiece()
		m.emit(theSweeper, "feed: claims a worker, if one is idle, and has it pull", &s)
	case sweeperReject: // reject
		v.at = sweeperRejectRefuse
		if !s.bursts[v.rest].wins(theSweeper, true, waiting, 0, encoding) {
			v.nextPiece()
		}
		m.emit(theSweeper, "reject: takeOver", &s)
	case sweeperRejectRefuse:
		s.refuse(v.rest, s.bursts[v.rest].life, theSweeper, rejected)
		v.at = sweeperRejectComplete
		m.emit(theSweeper, "reject: refuse", &s)
	case sweeperRejectComplete:
		if c.mu != nobody {
			return
		}
		v.ready = m.complete(&s, v.rest, s.bursts[v.rest].life)
		v.at = sweeperRejectRecycle
		m.emit(theSweeper, "reject: complete", &s)
	case sweeperRejectRecycle:
		if v.ready {
			c.woken, v.ready = true, false
		}
		m.recycle(&s, v.rest, s.bursts[v.rest].life)
		v.nextPiece()
		m.emit(theSweeper, "reject: wake, recycle", &s)
	}
}

func (v *sweeper) nextPiece() {
	if v.left == 0 {
		v.rest = none
		v.spreadEnds()
		return
	}
	v.left--
	v.rest, v.at = v.pieces[v.left], sweeperEnqueue
	v.pieces[v.left] = 0
}

// spreadEnds is what follows router.detach in router.sweep.
func (v *sweeper) spreadEnds() {
	if !v.expire {
		v.end()
		return
	}
	v.at, v.seen.phase = sweeperExpire, detached
}
