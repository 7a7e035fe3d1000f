//go:build model

package model

// property is what must hold in every state.
type property int8

const (
	allWell   property = iota
	oneReply           // no request gets a second reply
	inOrder            // replies leave in the order of the requests, and each is that of its own request
	replyEach          // a part of the window is completed by one reply for each of its requests
	atRest             // at rest, a living connection owes no reply, and has none that it does not write
	accounted          // what was decoded on a connection that is closed was either answered or counted as dropped
	ownership          // a burst is written to only by who owns it
	noReuse            // a burst that was seized or detached, or whose handler crashed, is not recycled
	noGhosts           // a burst that was recycled is not touched any more by who had it before
	rightOne           // the sweeper detaches the worker that it has looked at, and no other
	inTime             // only requests whose deadline has passed are answered so
)

var propertyNames = map[property]string{
	oneReply:  "a request gets a second reply",
	inOrder:   "a reply is not that of the request whose turn it is",
	replyEach: "a part of the window is completed by too few replies, or too many",
	atRest:    "everything rests, and a reply is owed, or not written",
	accounted: "a request is neither answered nor counted as dropped",
	ownership: "a burst is written to by who does not own it",
	noReuse:   "a burst is recycled that was seized or detached, or whose handler crashed",
	noGhosts:  "a burst that was recycled is touched by who had it before",
	rightOne:  "a worker is detached that does not serve the burst",
	inTime:    "a request is answered as late that is not",
}

// fail notes the first property that is violated.
func (s *state) fail(p property) {
	if s.wrong == allWell {
		s.wrong = p
	}
}

// touch is any look at a burst beyond its cursor by who had it in one of its lives.
func (s *state) touch(b, life int8) *burst {
	if x := &s.bursts[b]; x.use != used || x.life != life {
		s.fail(noGhosts)
	}
	return &s.bursts[b]
}

// write is touch with the intent to write.
func (s *state) write(b, life int8, by who) *burst {
	x := s.touch(b, life)
	if x.owner != by {
		s.fail(ownership)
	}
	return x
}

// tooLate says that a burst's requests are being answered as late.
func (s *state) tooLate(b int8) {
	if s.bursts[b].born >= s.world.time {
		s.fail(inTime)
	}
}

// send is what the peer sees.
func (s *state) send(out replies) {
	for k := range out.n {
		if out.all[k].request != s.conn.wire.n {
			s.fail(inOrder)
		}
		s.conn.wire.add(s, out.all[k])
	}
}

// rest checks a state in which nothing can happen any more, unless the world or the sweeper begins something.
func (s *state) rest() {
	c := &s.conn
	if c.closed {
		if c.decoded != c.answered+c.dropped {
			s.fail(accounted)
		}
		return
	}
	if c.ready() {
		s.fail(atRest)
	}
	owed := int8(0)
	for i := c.head; i != none; i = c.segments[i].next {
		g := &c.segments[i]
		owed += g.requests
		if !g.done && !s.hangsIn(g.burst) {
			s.fail(atRest)
		}
	}
	if c.inflight != owed || c.decoded != c.answered+owed || c.wire.n != c.answered {
		s.fail(accounted)
	}
}

// hangsIn reports whether a handler that never returns has the burst.
func (s *state) hangsIn(b int8) bool {
	for i := range s.workers {
		if w := &s.workers[i]; w.at == workerHangs && w.burst == b {
			return true
		}
	}
	return false
}
