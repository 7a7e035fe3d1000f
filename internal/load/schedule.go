package load

import (
	"math"
	"math/rand/v2"
	"time"
)

// schedule is when a connection is meant to send: a sequence of times that does not depend on the server, and of which
// only the next one is kept. So a server that stalls costs no memory, however many requests wait.
type schedule struct {
	next int64   // nanoseconds since the run's base
	gap  float64 // mean distance, in nanoseconds
	at   float64 // next, without rounding
	rng  *rand.Rand
}

// newSchedule returns the schedule of connection i of n, which together have rate arrivals a second.
func newSchedule(a Arrivals, rate float64, i, n int, seed uint64) schedule {
	s := schedule{gap: float64(n) / rate * float64(time.Second)}
	if a == Uniform {
		s.at = s.gap * float64(i) / float64(n)
	} else {
		s.rng = rand.New(rand.NewPCG(seed, uint64(i)+1))
		s.at = s.rng.ExpFloat64() * s.gap
	}
	s.next = int64(s.at)
	return s
}

// advance moves on to the next arrival.
func (s *schedule) advance() {
	if s.rng == nil {
		s.at += s.gap
	} else {
		s.at += s.rng.ExpFloat64() * s.gap
	}
	s.next = int64(s.at)
}

// expected returns how many arrivals there are to expect in a time that begins with one.
func (s *schedule) expected(nanoseconds int64) int64 {
	n := float64(nanoseconds) / s.gap
	if s.rng == nil {
		return int64(math.Ceil(n))
	}
	return 1 + int64(n)
}

// dues is a heap of connections, the one that is due first on top.
type dues []*conn

func (d *dues) push(c *conn) {
	h := append(*d, c)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if h[parent].schedule.next <= c.schedule.next {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = c
	*d = h
}

// pop removes the top.
func (d *dues) pop() {
	h := *d
	last := h[len(h)-1]
	h[len(h)-1] = nil
	h = h[:len(h)-1]
	*d = h
	if len(h) > 0 {
		h[0] = last
		h.sink()
	}
}

// sink moves the top to where it belongs, after its time has changed.
func (d dues) sink() {
	c, i := d[0], 0
	for {
		child := 2*i + 1
		if child >= len(d) {
			break
		}
		if right := child + 1; right < len(d) && d[right].schedule.next < d[child].schedule.next {
			child = right
		}
		if c.schedule.next <= d[child].schedule.next {
			break
		}
		d[i] = d[child]
		i = child
	}
	d[i] = c
}
