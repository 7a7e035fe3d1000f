//go:build model

package model

// The end of a worker, and its return.

// crash is run.crashed, once the request is its own.
func (m *machine) crash(s state, i int8) {
	w := &s.workers[i]
	b := &s.bursts[w.burst]
	b.spoiled = true
	if m.on(KeptWhenCrashed) {
		b.kept = true
	}
	if w.goexit && m.on(GoexitIsNotInline) {
		b.inline = false
	}
	if w.again && s.world.retries > 0 {
		n := s
		n.world.retries--
		n.workers[i].at = workerRetry
		m.emit(worker0+who(i), "crashed, and may be retried", &n)
		return
	}
	w.at, w.again = workerStatus, false
	if !w.alone && w.k+1 < w.size {
		w.at = workerSplit
	}
	m.emit(worker0+who(i), "crashed", &s)
}

// offer is slot.offer, which may go on when the worker already runs again.
func (m *machine) offer(s state, i int8) {
	w := &s.workers[i]
	me := worker0 + who(i)
	switch w.offering {
	case offerIdle:
		w.offering = offerDone
		if w.alive {
			s.pool.idle[w.slot] = true
			if m.on(OfferThenLook) {
				w.offering = offerLook
			}
		}
		m.emit(me, "offer", &s)
	case offerLook:
		w.offering = offerDone
		if s.pool.length > 0 {
			w.offering = offerFeed
		}
		m.emit(me, "offer: looks at the queue", &s)
	case offerFeed:
		s.feed()
		w.offering = offerDone
		m.emit(me, "offer: claims a worker, if one is idle, and has it pull", &s)
	}
}

// terminated is pool.onTerminated: a worker that was given up leaves its slot, and another takes it.
func (m *machine) terminated(s state) {
	for i, freed := range s.pool.freed {
		if freed {
			n := s
			n.pool.freed[i] = false
			n.pool.slots[s.workers[i].slot], n.pool.vacant[s.workers[i].slot] = none, true
			m.emit(thePool, "free", &n)
		}
	}
	for i, vacant := range s.pool.vacant {
		if !vacant {
			continue
		}
		for j := range s.workers {
			if w := &s.workers[j]; j >= m.Workers && w.at == workerNone && !w.givenUp {
				n := s
				n.pool.vacant[i], n.pool.slots[i] = false, int8(j)
				n.workers[j].at, n.workers[j].slot = workerStart, int8(i)
				m.emit(thePool, "fill", &n)
				break
			}
		}
	}
}
