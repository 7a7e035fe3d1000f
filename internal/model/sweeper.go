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
	rest     int8
	ready    bool
	late     [maxBursts]int8
	left     int8 // of late
	refusing bool
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
	sweeperRequeue
	sweeperLook
	sweeperFeed
	sweeperSeize
	sweeperSeizeSwap
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
	if s.world.stalls == 0 && s.sweeper.now == 0 {
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

// rest makes the sweeper forget what it was at.
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
		if k := v.seen.k; k > 0 && c.segments[b.segment].burst == v.burst {
			before := b.segment
			b.segment = c.split(before, k, v.burst)
			s.complete(before, b.out)
			b.first, b.size = b.first+k, b.size-k
			if m.on(DetachEmpties) {
				b.out, b.answered = replies{}, 0
			}
			v.ready = c.ready()
			b.shift(k)
		}
		v.at = sweeperReplace
		m.emit(theSweeper, "detach: the replies before", &s)
	case sweeperReplace: // replaceReader
		v.at = sweeperWake
		if r := &s.readers[1]; b.inline && r.life == 0 && r.at == readerGone {
			r.at, r.life = readerTake, 1
		}
		m.emit(theSweeper, "detach: replaceReader", &s)
	case sweeperWake:
		v.at = sweeperGiveUp
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
			v.at = sweeperRequeue
		}
		m.emit(theSweeper, "detach: giveUp", &s)
	case sweeperDetached:
		b.cursor.phase, b.owner = detached, nobody
		v.at = sweeperRequeue
		m.emit(theSweeper, "detach: detached", &s)
	case sweeperRequeue:
		v.at = sweeperSeize
		if v.rest != none {
			s.pool.push(v.rest, true)
			v.at, v.rest = sweeperLook, none
		} else if !v.expire {
			v.end()
		}
		m.emit(theSweeper, "detach: requeue", &s)
	case sweeperLook:
		v.at = sweeperFeed
		if s.pool.length == 0 {
			v.fed()
		}
		m.emit(theSweeper, "feed: looks at the queue", &s)
	case sweeperFeed:
		s.feed()
		v.fed()
		m.emit(theSweeper, "feed: claims a worker, if one is idle, and has it pull", &s)
	case sweeperSeize: // expire
		v.seen = b.cursor
		v.at = sweeperSeizeSwap
		m.emit(theSweeper, "expire: seize loads", &s)
	case sweeperSeizeSwap:
		if !m.seize(b, v.seen, theSweeper) {
			v.end()
			m.emit(theSweeper, "expire: seize fails", &s)
			return
		}
		s.write(v.burst, v.life, theSweeper)
		s.tooLate(v.burst)
		if m.on(ExpiredIsNotInline) {
			b.inline = false
		}
		b.out = replies{}
		b.out.add(&s, reply{b.first + v.seen.k - b.shifted(), late})
		v.at = sweeperComplete
		m.emit(theSweeper, "expire: seize swaps; DEADLINE_EXCEEDED", &s)
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
		v.goOn()
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
	case v.seen.phase == handling && s.world.stalls > 0:
		n := s
		n.sweeper.at = sweeperSwap
		m.emit(theSweeper, "sweep: a stalled request", &n)
		v.end()
		m.emit(theSweeper, "sweep: nothing", &s)
	case v.seen.phase == detached && overdue:
		v.at = sweeperSeize
		m.emit(theSweeper, "sweep: a detached request that is overdue", &s)
	default:
		v.end()
		m.emit(theSweeper, "sweep: nothing", &s)
	}
}

// detach is the swap of router.detach.
func (m *machine) detach(s state) {
	v := &s.sweeper
	b := &s.bursts[v.burst]
	if b.cursor != v.seen {
		v.at = sweeperSeize
		if m.on(ExpireIfDetached) || !v.expire {
			v.end()
		}
		m.emit(theSweeper, "detach: somebody was faster", &s)
		return
	}
	if w := &s.workers[v.worker]; w.current != v.burst || b.life != w.life {
		s.fail(rightOne)
	}
	if v.expire {
		s.tooLate(v.burst)
	} else {
		s.world.stalls--
	}
	b.cursor.phase, b.owner, b.spoiled = detaching, theSweeper, true
	if !m.on(DetachingPhase) {
		b.cursor.phase = detached
	}
	v.at = sweeperSplit
	m.emit(theSweeper, "detach: swaps", &s)
}

func (v *sweeper) fed() {
	v.at = sweeperSeize
	if !v.expire {
		v.end()
	}
}

// expireQueue is router.expireQueue: from its critical section to the refusal of each burst.
func (m *machine) expireQueue(s state) {
	v, p := &s.sweeper, &s.pool
	switch v.at {
	case sweeperPop:
		v.refusing = true
		for p.length > 0 && s.bursts[p.queue[0]].born < v.now {
			v.late[v.left] = p.pop()
			v.left++
		}
		v.goOn()
		m.emit(theSweeper, "expireQueue: popLate", &s)
	case sweeperTakeOver:
		to := encoding
		if !m.on(LateTakesOver) {
			to = handling
		}
		if s.bursts[v.burst].wins(theSweeper, true, waiting, 0, to) {
			v.at = sweeperRefuse
		} else {
			v.goOn()
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
func (v *sweeper) goOn() {
	if v.left == 0 {
		v.end()
		return
	}
	v.left--
	b := v.late[v.left]
	v.late[v.left] = 0
	v.burst, v.at = b, sweeperTakeOver
}
