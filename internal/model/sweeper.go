//go:build model

package model

// sweeper is the sweeper.
type sweeper struct {
	at       at
	now      int8
	worker   int8
	burst    int8
	deadline int8
	seen     cursor
	life     int8
	expire   bool // the detached request is to be answered at once
	relieve  bool // the worker is not stuck, but slow
	rest     int8
	ready    bool
	pieces   [maxBursts]int8 // of rest, or what popLate gave
	left     int8            // of the pieces
}

const (
	sweeperIdle at = iota
	sweeperCursor
	sweeperAgain
	sweeperDeadline
	sweeperSwap
	sweeperSplit
	sweeperBefore
	sweeperReplace
	sweeperWake
	sweeperGiveUp
	sweeperDetached
	sweeperRestore
	sweeperSpread
	sweeperEnqueue
	sweeperReject
	sweeperRejectRefuse
	sweeperRejectComplete
	sweeperRejectRecycle
	sweeperLook
	sweeperFeed
	sweeperSeize // without ExpiresWhatItSaw
	sweeperExpire
	sweeperPop
	sweeperTakeOver
	sweeperRefuse
	sweeperComplete
	sweeperReplied
)

// look is how router.sweep begins: with the clock, a worker that serves something, or the queue.
func (m *machine) look(s state) {
	if s.sweeper.at != sweeperIdle {
		return
	}
	if s.sweeper.now != s.world.time {
		n := s
		n.sweeper.now = s.world.time
		m.emit(theSweeper, "sweep: looks at the clock", &n)
	}
	if s.world.stalls == 0 && s.world.reliefs == 0 && s.sweeper.now == 0 {
		return // whatever it sees, it does nothing
	}
	for i := range s.workers {
		if s.workers[i].current != none {
			n := s
			v := &n.sweeper
			v.worker, v.burst = int8(i), s.workers[i].current
			v.at = sweeperCursor
			if !m.on(LooksAgain) {
				v.at = sweeperDeadline
			}
			m.emit(theSweeper, "sweep: loads a worker's burst", &n)
		}
	}
	if s.sweeper.now > 0 && s.pool.length > 0 {
		s.sweeper.at = sweeperPop
		m.emit(theSweeper, "sweep: sees that bursts wait", &s)
	}
}

// end makes the sweeper forget what it was at.
func (v *sweeper) end() { *v = sweeper{now: v.now, burst: none, rest: none} }

func (m *machine) sweep(s state) {
	v, c := &s.sweeper, &s.conn
	var b *burst
	if v.burst != none {
		b = &s.bursts[v.burst]
	}
	switch v.at {
	case sweeperCursor: // sweep
		v.seen, v.life = b.cursor, b.life
		if m.on(LooksAgain) {
			v.at = sweeperAgain
			m.emit(theSweeper, "sweep: loads the cursor", &s)
			return
		}
		m.decide(s)
	case sweeperAgain:
		v.at = sweeperDeadline
		if s.workers[v.worker].current != v.burst {
			v.end()
		}
		m.emit(theSweeper, "sweep: looks again whether the worker has the burst", &s)
	case sweeperDeadline:
		v.deadline = s.workers[v.worker].deadline
		if m.on(LooksAgain) {
			m.decide(s)
			return
		}
		v.at = sweeperCursor
		m.emit(theSweeper, "sweep: loads the worker's deadline", &s)
	case sweeperSwap: // detach
		m.detach(s)
	case sweeperSplit: // connection.detach
		if c.mu != nobody {
			return
		}
		s.write(v.burst, v.life, theSweeper)
		if v.relieve && v.seen.k+1 >= b.size {
			v.at = sweeperRestore
			m.emit(theSweeper, "relieve: there is nothing to take", &s)
			return
		}
		b.spoiled = true
		if m.on(KeptWhenDetached) {
			b.kept = true
		}
		if v.seen.k+1 < b.size {
			v.rest = m.split(&s, v.burst, v.seen.k+1)
		}
		v.at = sweeperBefore
		m.emit(theSweeper, "detach: split", &s)
	case sweeperBefore:
		if c.mu != nobody {
			return
		}
		s.write(v.burst, v.life, theSweeper)
		k := b.answered
		if !m.on(DetachByAnswered) {
			k = v.seen.k
		}
		if k > 0 && c.segments[b.segment].burst == v.burst {
			before := b.segment
			b.segment = c.split(before, k, v.burst)
			s.complete(before, b.out)
			if m.on(DetachEmpties) {
				b.out, b.answered = replies{}, 0
			}
			v.ready = c.ready()
		}
		v.at = sweeperReplace
		m.emit(theSweeper, "detach: the replies before", &s)
	case sweeperReplace: // replaceReader
		v.at = sweeperWake
		if !v.relieve && b.inline && !c.replaced {
			c.replaced = true
			s.readers[1].at = readerTake
		}
		m.emit(theSweeper, "detach: replaceReader", &s)
	case sweeperWake:
		v.at = sweeperGiveUp
		if v.relieve {
			v.at = sweeperDetached
		}
		if v.ready {
			c.woken, v.ready = true, false
		}
		m.emit(theSweeper, "detach: wake", &s)
	case sweeperGiveUp: // giveUp
		if w := &s.workers[v.worker]; !w.givenUp {
			w.givenUp, w.alive = true, false
			s.pool.idle[w.slot] = false
			s.pool.freed[v.worker] = true
		}
		v.at = sweeperDetached
		if !m.on(DetachingPhase) {
			v.at = sweeperSpread
		}
		m.emit(theSweeper, "detach: giveUp", &s)
	case sweeperDetached:
		b.cursor.phase, b.owner = detached, nobody
		v.at = sweeperSpread
		if v.rest == none {
			v.spreadEnds()
		}
		m.emit(theSweeper, "detach: detached", &s)
	case sweeperRestore: // relieve
		b.cursor, b.owner = v.seen, nobody
		v.end()
		m.emit(theSweeper, "relieve: puts the cursor back", &s)
	case sweeperSpread, sweeperEnqueue, sweeperReject, sweeperRejectRefuse, sweeperRejectComplete, sweeperRejectRecycle, sweeperLook, sweeperFeed:
		m.spreadRest(s)
	case sweeperSeize:
		v.seen, v.at = b.cursor, sweeperExpire
		m.emit(theSweeper, "expire: seize loads", &s)
	case sweeperExpire: // expire
		if !m.seize(b, v.seen, theSweeper) {
			v.end()
			m.emit(theSweeper, "expire: somebody was faster", &s)
			return
		}
		s.write(v.burst, v.life, theSweeper)
		s.tooLate(v.burst)
		if m.on(ExpiredIsNotInline) {
			b.inline = false
		}
		b.out = replies{}
		b.out.add(&s, reply{b.first + v.seen.k, late})
		v.at = sweeperComplete
		m.emit(theSweeper, "expire: swaps; DEADLINE_EXCEEDED", &s)
	case sweeperPop, sweeperTakeOver, sweeperRefuse: // expireQueue
		m.expireQueue(s)
	case sweeperComplete: // complete
		if c.mu != nobody {
			return
		}
		v.ready = m.complete(&s, v.burst, v.life) && !b.inline
		v.at = sweeperReplied
		m.emit(theSweeper, "complete", &s)
	case sweeperReplied:
		if v.ready {
			c.woken, v.ready = true, false
		}
		v.goOn(&s)
		m.emit(theSweeper, "complete: wake", &s)
	}
}

// decide is the switch in router.sweep, which comes with the last of the loads.
func (m *machine) decide(s state) {
	v := &s.sweeper
	overdue := v.now > v.deadline
	switch {
	case v.seen.phase == handling && overdue:
		v.at, v.expire = sweeperSwap, true
		m.emit(theSweeper, "sweep: an overdue request", &s)
	case v.seen.phase == detached && overdue:
		v.at = sweeperExpire
		if !m.on(ExpiresWhatItSaw) {
			v.at = sweeperSeize
		}
		m.emit(theSweeper, "sweep: a detached request that is overdue", &s)
	default:
		w := &s.workers[v.worker]
		if s.world.stalls > 0 && (v.seen.phase == handling || v.seen.phase == detached && !w.givenUp) {
			n := s
			n.sweeper.at = sweeperSwap
			m.emit(theSweeper, "sweep: a stalled request", &n)
		}
		if s.world.reliefs > 0 && v.seen.phase == handling {
			n := s
			n.sweeper.at, n.sweeper.relieve = sweeperSwap, true
			m.emit(theSweeper, "sweep: a slow burst", &n)
		}
		v.end()
		m.emit(theSweeper, "sweep: nothing", &s)
	}
}

// detach is the swap of router.detach.
func (m *machine) detach(s state) {
	v := &s.sweeper
	b := &s.bursts[v.burst]
	if b.cursor != v.seen {
		if v.at = sweeperSeize; m.on(ExpiresWhatItSaw) || !v.expire {
			v.end()
		}
		m.emit(theSweeper, "detach, relieve: somebody was faster", &s)
		return
	}
	switch w := &s.workers[v.worker]; {
	case v.relieve:
		s.world.reliefs--
	case w.current != v.burst || b.life != w.life:
		s.fail(rightOne)
	case v.expire:
		s.tooLate(v.burst)
	default:
		s.world.stalls--
	}
	b.cursor.phase, b.owner = detaching, theSweeper
	if !m.on(DetachingPhase) {
		b.cursor.phase = detached
	}
	v.at = sweeperSplit
	m.emit(theSweeper, "detach, relieve: swaps", &s)
}

// expireQueue is router.expireQueue: from its critical section to the refusal of each burst.
func (m *machine) expireQueue(s state) {
	v, p := &s.sweeper, &s.pool
	switch v.at {
	case sweeperPop:
		for p.length > 0 && s.bursts[p.queue[0]].born < v.now {
			v.pieces[v.left] = p.pop()
			v.left++
		}
		v.goOn(&s)
		m.emit(theSweeper, "expireQueue: popLate", &s)
	case sweeperTakeOver:
		to := encoding
		if !m.on(LateTakesOver) {
			to = handling
		}
		if s.bursts[v.burst].wins(theSweeper, true, waiting, 0, to) {
			v.at = sweeperRefuse
		} else {
			v.goOn(&s)
		}
		m.emit(theSweeper, "expireQueue: takeOver", &s)
	case sweeperRefuse:
		s.tooLate(v.burst)
		s.refuse(v.burst, v.life, theSweeper, late)
		v.at = sweeperComplete
		m.emit(theSweeper, "expireQueue: refuse", &s)
	}
}

// goOn takes the next of the bursts that popLate gave, if that is what the sweeper is at.
func (v *sweeper) goOn(s *state) {
	if v.left == 0 {
		v.end()
		return
	}
	v.left--
	b := v.pieces[v.left]
	v.pieces[v.left] = 0
	v.burst, v.life, v.at = b, s.bursts[b].life, sweeperTakeOver
}
