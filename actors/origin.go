package actors

import "github.com/understudy-go/understudy/transport"

// A connection is the origin of its bursts: where their replies go, and where what is split off one has its place.

var _ origin = (*connection)(nil)

// complete implements origin.
func (c *connection) complete(b *Burst) {
	out := b.out
	c.mu.Lock()
	if b.took > 0 {
		c.pace.observe(b.took)
		c.pieces.Store(int32(c.pace.piece()))
	}
	if c.closed || b.segment == nil || b.segment.burst != b {
		c.mu.Unlock()
		c.stage.writes.Put(out)
		return
	}
	if !c.window.unordered && b.segment != c.window.head && len(out) < cap(out)/2 {
		// It may wait long for its turn: give it no more memory than it needs.
		small := append(make([]byte, 0, len(out)), out...)
		c.stage.writes.Put(out)
		out = small
	}
	c.fill(b.segment, b, out)
	b.segment = nil
	ready := c.window.ready()
	c.mu.Unlock()
	if ready && !b.inline {
		c.wake()
	}
}

// fill puts the replies of b into a segment. The caller holds mu.
func (c *connection) fill(s *segment, b *Burst, out []byte) {
	if b.mute {
		c.window.breakOff(s, b.said)
	}
	c.window.complete(s, out)
	c.unwritten += len(out)
}

// split implements origin. The new burst's frames are copies: whoever has b may still be reading its own.
func (c *connection) split(b *Burst, k int) *Burst {
	r := c.copyFrom(b, k)
	b.refusal, b.frames = nil, b.frames[:min(k, len(b.frames))]
	c.mu.Lock()
	if !c.closed && b.segment != nil && b.segment.burst == b {
		r.segment = c.window.split(b.segment, k, r)
	} else {
		r.seize() // there is nobody to answer any more
	}
	c.total.splitBursts++
	c.mu.Unlock()
	return r
}

// copyFrom makes a burst of copies of b's requests from k on.
func (c *connection) copyFrom(b *Burst, k int) *Burst {
	rest := b.frames[min(k, len(b.frames)):]
	r := &Burst{origin: c, frames: make([]transport.Frame, 0, len(rest)), buf: make([]byte, 0, bytesIn(rest)), slot: b.slot}
	for _, f := range rest {
		start := len(r.buf)
		r.buf = append(r.buf, b.buf[f.Start:f.End]...)
		r.frames = append(r.frames, transport.Frame{Start: start, End: len(r.buf)})
	}
	if b.ids != nil {
		r.ids = b.ids[min(k, len(b.ids)):]
	}
	if b.wrongs != nil {
		r.wrongs = b.wrongs[min(k, len(b.wrongs)):]
	}
	r.refusal, r.arrived, r.deadline = b.refusal, b.arrived, b.deadline
	r.ctx = &requestContext{conn: c, deadline: b.deadline}
	return r
}

// retry implements origin. b keeps the place of what it has answered, be that nothing.
func (c *connection) retry(b *Burst, k int) *Burst {
	r := c.copyFrom(b, k)
	b.refusal = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total.splitBursts++
	if !c.closed && b.segment != nil && b.segment.burst == b {
		r.segment = c.window.split(b.segment, b.answered, r)
	} else {
		r.seize()
	}
	return r
}

// detach implements origin.
func (c *connection) detach(b *Burst, k int, stuck bool) (rest *Burst) {
	b.kept = true
	if k+1 < b.size() {
		rest = c.split(b, k+1)
	}
	ready := false
	c.mu.Lock()
	if !c.closed && b.answered > 0 && b.segment != nil && b.segment.burst == b {
		before := b.segment
		b.segment = c.window.split(before, b.answered, b)
		c.fill(before, b, b.out)
		b.out, b.answered, b.first = nil, 0, k
		ready = c.window.ready()
	}
	c.mu.Unlock()
	if stuck && b.inline {
		c.replaceReader()
	}
	if ready {
		c.wake()
	}
	return rest
}

// readOn implements origin.
func (c *connection) readOn() { c.replaceReader() }

// piece implements origin.
func (c *connection) piece() int { return int(c.pieces.Load()) }

func (c *connection) encoder() *encoder { return c.encodes }

func (c *connection) lane() *lane { return &c.waiting }
