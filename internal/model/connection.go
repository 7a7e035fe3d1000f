//go:build model

package model

// The steps of a connection: its window, and what is written.

// append is window.append.
func (c *connection) append(b, first, n int8) int8 {
	i := c.newSegment()
	c.segments[i] = segment{used: true, requests: n, first: first, burst: b, next: none}
	if c.tail == none {
		c.head = i
	} else {
		c.segments[c.tail].next = i
	}
	c.tail = i
	return i
}

// split is window.split.
func (c *connection) split(i, k, b int8) int8 {
	s := &c.segments[i]
	r := c.newSegment()
	c.segments[r] = segment{used: true, requests: s.requests - k, first: s.first + k, burst: b, next: s.next}
	s.requests, s.next = k, r
	if c.tail == i {
		c.tail = r
	}
	return r
}

func (c *connection) newSegment() int8 {
	for i := range c.segments {
		if !c.segments[i].used {
			return int8(i)
		}
	}
	panic("more segments than the model has room for")
}

// complete is window.complete. What is put there must be the replies of just these requests.
func (s *state) complete(i int8, out replies) {
	g := &s.conn.segments[i]
	if !g.used || g.done {
		s.fail(oneReply)
		return
	}
	if out.n != g.requests {
		s.fail(replyEach)
	}
	for k := range min(out.n, g.requests) {
		if out.all[k].request != g.first+k || out.all[k].kind == garbage {
			s.fail(inOrder)
		}
	}
	g.out, g.done, g.burst = out, true, none
}

// ready is window.ready.
func (c *connection) ready() bool { return c.head != none && c.segments[c.head].done }

// release is connection.release. What is not sent was for a connection that is closed.
func (s *state) release() (out replies) {
	c := &s.conn
	for c.ready() {
		g := c.segments[c.head]
		for k := range g.out.n {
			out.add(s, g.out.all[k])
		}
		c.segments[c.head] = segment{burst: none}
		c.head = g.next
		if c.head == none {
			c.tail = none
		}
	}
	return out
}
