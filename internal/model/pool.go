//go:build model

package model

// The steps of the pool: its queue, and who is idle.

// push is queue.push, or pushFront, and router.length.
func (p *pool) push(b int8, front bool) {
	if front {
		copy(p.queue[1:], p.queue[:p.length])
		p.queue[0] = b
	} else {
		p.queue[p.length] = b
	}
	p.length++
}

// pop is queue.pop, and router.length.
func (p *pool) pop() int8 {
	if p.length == 0 {
		return none
	}
	b := p.queue[0]
	copy(p.queue[:], p.queue[1:p.length])
	p.length--
	p.queue[p.length] = 0
	return b
}

// claim is idleSet.claim with the look at alive that follows it in router.claim: a worker, or none if none is idle.
func (s *state) claim() int8 {
	for i, idle := range s.pool.idle {
		if !idle {
			continue
		}
		s.pool.idle[i] = false
		if w := s.pool.slots[i]; w != none && s.workers[w].alive {
			return w
		}
	}
	return none
}

// feed is the second step of router.feed: its first is the look at the length.
func (s *state) feed() {
	if w := s.claim(); w != none {
		s.workers[w].pulls++
	}
}
