package actors

import (
	"github.com/understudy-go/understudy/messages"
)

// startLinger half-closes the socket and reads on, throwing away what comes, until the peer closes too or the bound has
// passed. It takes the reading over from the reader, who may be stuck in a handler.
func (c *connection) startLinger() {
	if c.lingering {
		return
	}
	c.lingering = true
	c.order(orderStop)
	c.stage.Tracker.Go(func() {
		c.reading.Lock()
		c.epoch.Add(1)
		c.socket.ClearInterrupt()
		// A peer that is gone already, or a connection that cannot half-close, shows in the reading.
		_ = c.socket.CloseWrite()
		chunk := c.stage.reads.Get()
		n, fin, _ := c.socket.Discard(c.stage.Linger, chunk[:cap(chunk)])
		c.stage.reads.Put(chunk)
		unread := 0
		if !fin {
			unread = c.socket.Unread()
		}
		c.reading.Unlock()
		c.mu.Lock()
		c.total.bytesReceived += n
		c.total.bytesUnread += int64(unread)
		c.lingered = true
		c.mu.Unlock()
		c.mailbox.PostUserMessage(messages.Lingered{})
	})
}

// expire takes every unanswered request away from the pool and answers it. It is false if one could not be taken, as its
// reply is just being encoded.
func (c *connection) expire() (complete bool) {
	complete = true
	var taken []*Burst
	c.mu.Lock()
	c.window.pending(func(b *Burst) bool {
		_, started, ok := b.seize()
		if !ok {
			complete = false
			return true
		}
		c.cut = true
		c.tally(b)
		e := c.encoder()
		begun := b.answered
		for b.answered < b.segment.requests {
			k := b.first + b.answered
			b.status(e, k, unavailable((b.answered > begun || !started) && !b.tried(k)))
			b.answered++
			c.total.unavailable++
		}
		c.fill(b.segment, b, b.out)
		b.segment = nil
		taken = append(taken, b)
		return true
	})
	c.mu.Unlock()
	for _, b := range taken {
		b.ctx.end()
	}
	return complete
}

// tally counts what was encoded of a burst that the caller, who holds mu, has seized.
func (c *connection) tally(b *Burst) {
	c.total.ok += int64(b.oks)
	b.oks = 0
}

func unavailable(notStarted bool) *messages.Status {
	return &messages.Status{Code: messages.Unavailable, Message: "the server is shutting down", NotStarted: notStarted}
}

// breakOff gives up what is unanswered if the last reply that was written stands before an error that the service has no way
// to tell: what came after it would be taken for its reply. It is true once. Only the session actor calls it.
func (c *connection) breakOff() bool {
	c.mu.Lock()
	if !c.window.broken || c.writing || c.sealed || c.closed {
		c.mu.Unlock()
		return false
	}
	c.sealed = true
	c.window.pending(func(b *Burst) bool {
		if _, _, ok := b.seize(); ok { // one that is just being encoded finds its segment gone
			c.tally(b)
		}
		return true
	})
	lost := c.inflight - c.outbox.pending()
	c.total.dropped += int64(lost)
	c.inflight -= lost
	c.window.drop()
	c.mu.Unlock()
	c.stage.router.forget(c.lane())
	return true
}

// abandon gives up what is unanswered: by our own doing, or because there is nobody to answer it to.
func (c *connection) abandon(ours bool) {
	c.mu.Lock()
	c.closed = true
	c.roomForPushes()
	c.window.pending(func(b *Burst) bool {
		if _, _, ok := b.seize(); ok { // what waits in the pool's queue need not be handled
			c.tally(b)
		}
		return true
	})
	if !c.writing {
		c.release()
		c.unwritten = 0
	}
	if ours {
		c.total.unanswered += int64(c.inflight)
	} else {
		c.total.dropped += int64(c.inflight)
	}
	c.inflight = 0
	// A handler that hangs keeps its burst, and the burst the connection: nothing else is to stay with them.
	c.window.drop()
	if c.pushes != nil {
		c.pushes.buf, c.pushes.n = nil, 0
	}
	if !c.writing {
		c.outbox.drop()
	}
	base := c.base
	c.mu.Unlock()
	c.stage.router.forget(c.lane())
	if base != nil {
		base.cancel()
	}
}
