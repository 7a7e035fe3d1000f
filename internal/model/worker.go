//go:build model

package model

// worker is a worker with its slot and its mailbox.
type worker struct {
	at      at
	pulls   int8 // in the mailbox
	burst   int8 // of the run, as is what follows
	life    int8
	reader  int8 // whose goroutine it runs on, or none
	k       int8
	size    int8
	first   int8
	mark    int8
	kind    int8 // of the result
	alone   bool
	crashed bool
	goexit  bool
	rest    int8 // a burst to requeue
	again   bool // a crash in the handler, which may be retried; then, that it is

	slot     int8
	alive    bool
	givenUp  bool
	current  int8
	deadline int8
	offering at // what is left of the mailbox's coming to rest
}

const (
	workerNone at = iota
	workerStart
	workerResting
	workerPull
	workerPop
	workerBegin
	workerEnter
	workerServes
	workerHandle
	workerHangs
	workerHandled
	workerDetached
	workerLost
	workerEncode
	workerSplit
	workerRetry
	workerRequeue
	workerLook
	workerFeed
	workerStatus
	workerComplete
	workerWake
	workerFails
	workerExit
	workerRecycle
	workerEnd
)

const (
	offerDone at = iota
	offerIdle
	offerLook
	offerFeed
)

func (m *machine) worker(s state, i int8) {
	w, c := &s.workers[i], &s.conn
	me := worker0 + who(i)
	var b *burst
	if w.burst != none {
		b = &s.bursts[w.burst]
	}
	switch w.at {
	case workerStart: // onStarted
		w.alive, w.at = true, workerEnd
		m.emit(me, "has started", &s)
	case workerResting: // Mailbox.schedule
		if w.pulls == 0 {
			return
		}
		w.pulls--
		w.at = workerPull
		m.emit(me, "onPull", &s)
	case workerPull: // next
		w.at = workerEnd
		if s.pool.length > 0 {
			w.at = workerPop
		}
		m.emit(me, "next: looks at the queue", &s)
	case workerPop:
		w.at = workerEnd
		if w.burst = s.pool.pop(); w.burst != none {
			w.at, w.life = workerBegin, s.bursts[w.burst].life
		}
		m.emit(me, "next: pop", &s)
	case workerBegin: // serve
		s.touch(w.burst, w.life)
		w.size, w.first = b.size, b.first
		switch {
		case b.wins(nobody, m.on(BeginSwaps), waiting, 0, handling):
			w.at = workerEnter
			m.emit(me, "begin", &s)
		default:
			w.at = w.after()
			m.emit(me, "begin: was seized", &s)
		}
	case workerEnter: // enter
		w.deadline = b.born
		w.at = workerServes
		m.emit(me, "enter: deadline", &s)
	case workerServes:
		w.current, w.at = w.burst, workerHandle
		m.emit(me, "enter: current", &s)
	case workerHandle: // handle
		m.handle(s, i)
	case workerHandled: // handled
		w.at = workerDetached
		if b.wins(me, m.on(HandledSwaps), handling, w.k, encoding) {
			w.at = workerEncode
		}
		m.emit(me, "handled: from handling to encoding", &s)
	case workerDetached:
		w.at = workerLost
		if b.wins(me, true, detached, w.k, encoding) {
			w.at, w.alone = workerEncode, true
		}
		m.emit(me, "handled: from detached to encoding", &s)
	case workerLost:
		switch {
		case m.on(WaitsWhileDetached) && (b.cursor.phase == detaching || b.cursor.phase == detached),
			m.on(GoesOnAfterRelief) && b.cursor.phase == handling:
			w.at = workerHandled
			m.emit(me, "handled: waits", &s)
		case w.crashed:
			w.at = workerFails
			m.emit(me, "crashed: was answered already", &s)
		default:
			w.at = workerExit
			m.emit(me, "handled: is late", &s)
		}
	case workerEncode: // encode, or what crashed does with a request that is its own
		s.write(w.burst, w.life, me)
		if w.crashed {
			m.crash(s, i)
			return
		}
		w.mark = b.out.n
		if s.world.crashes > 0 {
			n := s
			n.world.crashes--
			n.bursts[w.burst].out.add(&n, reply{})
			n.workers[i].crashed = true
			if m.on(MarkCuts) {
				n.bursts[w.burst].out.cut(w.mark)
			}
			m.emit(me, "encode: crashes", &n)
		}
		b.out.add(&s, reply{w.first + w.k, w.kind}) // and next
		b.answered++
		w.k++
		w.mark, w.kind = 0, 0
		if (!w.alone || !m.on(AloneEnds)) && w.k < w.size {
			b.cursor.phase, b.cursor.k, b.owner = handling, w.k, nobody
			w.at, w.alone = workerHandle, false
			m.emit(me, "encode, next: the next request", &s)
			return
		}
		b.cursor.phase, b.cursor.k = done, w.k
		w.at = workerComplete
		m.emit(me, "encode, next: done", &s)
	case workerSplit: // crashed
		if c.mu != nobody {
			return
		}
		s.write(w.burst, w.life, me)
		w.rest = m.split(&s, w.burst, w.k+1)
		w.at = workerRequeue
		m.emit(me, "crashed: split", &s)
	case workerRetry: // retry
		if c.mu != nobody {
			return
		}
		s.write(w.burst, w.life, me)
		w.rest = m.retry(&s, w.burst, w.k)
		w.at = workerRequeue
		m.emit(me, "crashed: retry", &s)
	case workerRequeue:
		s.pool.push(w.rest, true)
		w.at, w.rest = workerLook, none
		m.emit(me, "crashed: requeue", &s)
	case workerLook:
		w.at = workerStatus
		if s.pool.length > 0 {
			w.at = workerFeed
		}
		m.emit(me, "feed: looks at the queue", &s)
	case workerFeed:
		s.feed()
		w.at = workerStatus
		m.emit(me, "feed: claims a worker, if one is idle, and has it pull", &s)
	case workerStatus:
		s.write(w.burst, w.life, me)
		if w.again {
			b.cursor.phase, b.cursor.k = done, w.k
			w.at = workerComplete
			m.emit(me, "retry: done with the others", &s)
			return
		}
		b.out.add(&s, reply{w.first + w.k, crashed})
		b.answered++
		b.cursor.phase, b.cursor.k = done, w.k+1
		w.at = workerComplete
		m.emit(me, "crashed: INTERNAL, and done", &s)
	case workerComplete: // complete
		if c.mu != nobody {
			return
		}
		w.at = workerExit
		if w.crashed {
			w.at = workerFails
		}
		if m.complete(&s, w.burst, w.life) && !b.inline {
			w.at = workerWake
		}
		m.emit(me, "complete", &s)
	case workerWake:
		c.woken = true
		w.at = workerExit
		if w.crashed {
			w.at = workerFails
		}
		m.emit(me, "complete: wake", &s)
	case workerFails: // end
		w.alive = false
		w.at = workerExit
		m.emit(me, "end: is not alive", &s)
	case workerExit: // exit
		w.current = none
		if !w.crashed {
			w.at = w.after()
			m.emit(me, "exit", &s)
			return
		}
		if w.reader != none {
			s.readers[w.reader].returned(&s, i)
		}
		w.leave()
		w.at = workerStart
		if w.givenUp {
			w.at = workerNone
		}
		m.emit(me, "exit, fails", &s)
	case workerRecycle: // onPull
		m.recycle(&s, w.burst, w.life)
		w.leave()
		w.at = workerPull
		if w.givenUp {
			w.at = workerEnd
		}
		m.emit(me, "recycle", &s)
	case workerEnd: // endIfGivenUp, and Mailbox.rest
		if w.reader != none {
			s.readers[w.reader].returned(&s, i)
		}
		w.leave()
		switch {
		case w.givenUp:
			w.at = workerNone
		case w.pulls > 0:
			w.pulls--
			w.at = workerPull
		default:
			w.at = workerResting
			w.offering = offerIdle
		}
		m.emit(me, "comes to rest", &s)
	}
}

// handle is run.handle, and what a handler can do.
func (m *machine) handle(s state, i int8) {
	w := &s.workers[i]
	me := worker0 + who(i)
	if w.k < w.size && s.sweeper.now > w.deadline {
		s.tooLate(w.burst)
		w.at, w.kind = workerHandled, late
		m.emit(me, "handle: too late", &s)
		return
	}
	w.at, w.kind = workerHandled, result
	m.emit(me, "handle", &s)
	w.kind = 0
	if s.world.crashes > 0 {
		n := s
		n.world.crashes--
		n.workers[i].crashed, n.workers[i].again = true, true
		m.emit(me, "handle: panics", &n)
	}
	if s.world.goexits > 0 {
		n := s
		n.world.goexits--
		n.workers[i].crashed, n.workers[i].goexit, n.workers[i].again = true, true, true
		m.emit(me, "handle: runtime.Goexit", &n)
	}
	if s.world.hangs > 0 {
		n := s
		n.world.hangs--
		n.workers[i].at = workerHangs
		m.emit(me, "handle: hangs for ever", &n)
	}
}

// after is where serve returns to.
func (w *worker) after() at {
	if w.reader != none {
		return workerEnd
	}
	return workerRecycle
}

// leave forgets the run.
func (w *worker) leave() {
	*w = worker{
		at: w.at, pulls: w.pulls, slot: w.slot, alive: w.alive, givenUp: w.givenUp, deadline: w.deadline, offering: w.offering,
		current: none, burst: none, rest: none, reader: none,
	}
}

// returned is TryRun's return to the reader, or the end of the reader's goroutine, whose place another takes.
func (r *reader) returned(s *state, i int8) {
	w := &s.workers[i]
	r.at, r.claimed = readerRecycle, 0
	if b := &s.bursts[w.burst]; b.owner == worker0+who(i) {
		b.owner = nobody
	}
	if w.goexit {
		r.at, r.burst, r.life = readerTake, 0, 0
	}
}
