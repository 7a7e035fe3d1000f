//go:build model

package model

// complete is connection.complete. It reports whether the session has something to write.
func (m *machine) complete(s *state, i, life int8) (ready bool) {
	b, c := s.touch(i, life), &s.conn
	if m.on(CompleteClosed) && c.closed || m.on(CompleteLooks) && c.segments[b.segment].burst != i {
		return false
	}
	s.complete(b.segment, b.out)
	return c.ready()
}

// retry is connection.retry.
func (m *machine) retry(s *state, i, k int8) int8 {
	c := &s.conn
	r := s.newBurst(true)
	b, again := &s.bursts[i], &s.bursts[r]
	again.first, again.size, again.born = b.first+k, b.size-k, b.born
	at := b.answered
	if !m.on(RetryByAnswered) {
		at = k
	}
	if g := &c.segments[b.segment]; !m.on(RetryLooks) || g.burst == i {
		if !g.used || g.requests <= at {
			s.fail(replyEach)
			return r
		}
		again.segment = c.split(b.segment, at, r)
	} else {
		again.cursor.phase = seized
	}
	return r
}

// split is connection.split.
func (m *machine) split(s *state, i, k int8) int8 {
	c := &s.conn
	r := s.newBurst(true)
	b, rest := &s.bursts[i], &s.bursts[r]
	rest.first, rest.size, rest.born = b.first+k, b.size-k, b.born
	b.size = k
	if g := &c.segments[b.segment]; !m.on(SplitLooks) || g.burst == i {
		if !g.used || g.requests <= k {
			s.fail(replyEach)
			return r
		}
		rest.segment = c.split(b.segment, k, r)
	} else {
		rest.cursor.phase = seized
	}
	return r
}
