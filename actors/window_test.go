package actors

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// modelRequest is what the naive model knows of one request in flight.
type modelRequest struct {
	segment *segment
	reply   string // empty until there is one
}

// windowModel is a window beside a naive model of it: the requests one by one, with their replies.
type windowModel struct {
	window
	requests []modelRequest
	next     int // the number of the next request; its reply is that number
	names    map[*segment][]string
	bytes    int
	most     int // segments in flight at once
}

func (m *windowModel) inFlight() (segments []*segment) {
	for i, r := range m.requests {
		if i == 0 || m.requests[i-1].segment != r.segment {
			segments = append(segments, r.segment)
		}
	}
	return segments
}

func (m *windowModel) unanswered() (segments []*segment) {
	for _, s := range m.inFlight() {
		if !s.done {
			segments = append(segments, s)
		}
	}
	return segments
}

func (m *windowModel) appendBurst(n, bytes int) {
	s := m.window.append(new(Burst), n, bytes)
	for range n {
		m.requests = append(m.requests, modelRequest{segment: s})
		m.names[s] = append(m.names[s], strconv.Itoa(m.next)+";")
		m.next++
	}
	m.bytes += bytes
	m.most = max(m.most, len(m.inFlight()))
}

func (m *windowModel) splitSegment(s *segment, k int) {
	r := m.window.split(s, k, new(Burst))
	m.names[s], m.names[r] = m.names[s][:k:k], m.names[s][k:]
	seen := 0
	for i := range m.requests {
		if m.requests[i].segment == s {
			if seen++; seen > k {
				m.requests[i].segment = r
			}
		}
	}
	m.most = max(m.most, len(m.inFlight()))
}

func (m *windowModel) completeSegment(s *segment) {
	var out []byte
	for _, name := range m.names[s] {
		out = append(out, name...)
	}
	j := 0
	for i := range m.requests {
		if m.requests[i].segment == s {
			m.requests[i].reply = m.names[s][j]
			j++
		}
	}
	m.window.complete(s, out)
}

// releaseOne compares what the window releases with the model's first requests.
func (m *windowModel) releaseOne(t *testing.T) bool {
	t.Helper()
	want := len(m.requests) > 0 && m.requests[0].reply != ""
	if ready := m.window.ready(); ready != want {
		t.Fatalf("ready is %v, want %v", ready, want)
	}
	before := m.window.bytes
	out, n, ok := m.window.release()
	if ok != want {
		t.Fatalf("release gave %v, want %v", ok, want)
	}
	if !ok {
		return false
	}
	s, replies := m.requests[0].segment, ""
	for len(m.requests) > 0 && m.requests[0].segment == s {
		replies += m.requests[0].reply
		m.requests = m.requests[1:]
		n--
	}
	if string(out) != replies || n != 0 {
		t.Fatalf("released %q, want %q; requests off by %d", out, replies, n)
	}
	m.bytes -= before - m.window.bytes
	delete(m.names, s)
	return true
}

func (m *windowModel) check(t *testing.T) {
	t.Helper()
	if m.window.requests != len(m.requests) {
		t.Fatalf("the window counts %d requests, want %d", m.window.requests, len(m.requests))
	}
	sum := 0
	for _, s := range m.inFlight() {
		sum += s.bytes
		if s.bytes < 0 {
			t.Fatalf("a segment of %d requests has %d bytes", s.requests, s.bytes)
		}
	}
	if m.window.bytes != m.bytes || sum != m.bytes {
		t.Fatalf("the window counts %d bytes, its segments %d, want %d", m.window.bytes, sum, m.bytes)
	}
	var pending []*segment
	m.window.pending(func(b *Burst) bool {
		for _, s := range m.unanswered() {
			if s.burst == b {
				pending = append(pending, s)
			}
		}
		return true
	})
	want := m.unanswered()
	if len(pending) != len(want) {
		t.Fatalf("%d segments pend, want %d", len(pending), len(want))
	}
	for i, s := range want {
		if pending[i] != s {
			t.Fatalf("pending segment %d is out of order", i)
		}
	}
	free := 0
	for s := m.window.free; s != nil; s = s.next {
		free++
		if s.burst != nil || s.out != nil || s.done {
			t.Fatalf("a free segment holds on to %+v", s)
		}
	}
	if used := len(m.inFlight()); used+free != m.most {
		t.Fatalf("%d segments in flight and %d free, want %d in all: the most that were in flight at once", used, free, m.most)
	}
}

// Replies leave the window in the order of the requests, each once, however bursts come, are split and completed.
func TestWindowAgreesWithModel(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m := &windowModel{names: make(map[*segment][]string)}
		for range 300 {
			switch open := m.unanswered(); rnd.IntN(5) {
			case 0, 1:
				if len(m.requests) < 60 {
					m.appendBurst(1+rnd.IntN(9), rnd.IntN(1000))
				}
			case 2:
				if len(open) > 0 {
					if s := open[rnd.IntN(len(open))]; s.requests > 1 {
						m.splitSegment(s, 1+rnd.IntN(s.requests-1))
					}
				}
			case 3:
				if len(open) > 0 {
					m.completeSegment(open[rnd.IntN(len(open))])
				}
			case 4:
				for m.releaseOne(t) {
					if rnd.IntN(4) == 0 {
						break
					}
				}
			}
			m.check(t)
		}
		for _, s := range m.unanswered() {
			m.completeSegment(s)
		}
		for m.releaseOne(t) {
		}
		m.check(t)
		if len(m.requests) != 0 || m.window.requests != 0 || m.window.bytes != 0 || m.window.head != nil || m.window.tail != nil {
			t.Fatalf("seed %d: the window is not empty at the end: %+v", seed, m.window)
		}
	}
}

// A split while the window is walked makes a segment that the walk comes to as well.
func TestWindowPendingSeesWhatItSplits(t *testing.T) {
	var w window
	first, rest := new(Burst), new(Burst)
	s := w.append(first, 5, 50)
	var seen []*Burst
	w.pending(func(b *Burst) bool {
		seen = append(seen, b)
		if b == first {
			w.split(s, 2, rest)
		}
		return true
	})
	if len(seen) != 2 || seen[0] != first || seen[1] != rest {
		t.Errorf("saw %d bursts, want the first and the one split off it", len(seen))
	}
	seen = nil
	w.pending(func(b *Burst) bool { seen = append(seen, b); return false })
	if len(seen) != 1 {
		t.Errorf("saw %d bursts after saying stop, want 1", len(seen))
	}
}

func BenchmarkWindow(b *testing.B) {
	var w window
	burst, out := new(Burst), make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		w.complete(w.append(burst, 1, 16), out)
		if _, _, ok := w.release(); !ok {
			b.Fatal("nothing released")
		}
	}
}

// sixteen bursts in flight, completed in reverse.
func BenchmarkWindowOutOfOrder(b *testing.B) {
	var w window
	var segments [16]*segment
	burst, out := new(Burst), make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		for i := range segments {
			segments[i] = w.append(burst, 1, 16)
		}
		for i := range segments {
			w.complete(segments[len(segments)-1-i], out)
		}
		for {
			if _, _, ok := w.release(); !ok {
				break
			}
		}
	}
}
