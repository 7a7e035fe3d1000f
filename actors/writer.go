package actors

import (
	"errors"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// flush writes what can be written without waiting. Only the session actor calls it. Where the socket takes no more, or
// cannot be tried, a writer goroutine takes over: until it is done, the outbox is its own. It is true if something was written, and
// all that there was, and more can follow: of that nothing comes for a session that is Active.
func (c *connection) flush() (quiet bool) {
	c.mu.Lock()
	if c.writing || c.closed || c.writeErr != nil {
		c.mu.Unlock()
		return false
	}
	c.release()
	c.mu.Unlock()

	var failed error
	for buf := c.outbox.front(); buf != nil; buf = c.outbox.front() {
		n, err := c.socket.TryWrite(buf)
		c.outbox.advance(n) // before anything else: a crash must not write these bytes again
		c.stage.seams.session.strike(int(c.id))
		if err != nil {
			failed = err
			break
		}
	}
	goesOn := c.account()
	switch {
	case failed == nil:
		return goesOn
	case errors.Is(failed, transport.ErrWouldBlock):
		c.startWriter()
	default:
		c.mu.Lock()
		c.writeErr = failed
		c.roomForPushes()
		c.mu.Unlock()
	}
	return false
}

// release moves the replies whose turn it is from the window to the outbox. The caller holds mu and owns the outbox.
func (c *connection) release() {
	c.releasePushes()
	for {
		out, n, ok := c.window.release()
		if !ok {
			return
		}
		c.outbox.push(out, content{replies: n})
	}
}

// account notes what was written since it was called last; the caller owns the outbox. It is true if there was something, and more
// can follow.
func (c *connection) account() (goesOn bool) {
	written, sent := c.outbox.collect()
	if sent == 0 && written == (content{}) {
		return false
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return false // these requests were counted when it was closed
	}
	c.inflight -= written.replies
	c.unwritten -= sent
	c.total.answered += int64(written.replies)
	c.pushed(written)
	c.total.bytesSent += int64(sent)
	goesOn = !c.window.broken
	c.mu.Unlock()
	c.nudge()
	return goesOn
}

func (c *connection) startWriter() {
	c.mu.Lock()
	c.writing = true
	c.mu.Unlock()
	c.stage.Tracker.Go(func() {
		c.writeAll()
		c.mailbox.PostUserMessage(messages.Flushed{})
	})
}

// writeAll is the writer goroutine: it writes, waiting for the socket as long as it makes progress within the write
// time-out, until nothing is left.
func (c *connection) writeAll() {
	for {
		for buf := c.outbox.front(); buf != nil; buf = c.outbox.front() {
			if len(buf) > c.stage.WriteBuffer {
				buf = buf[:c.stage.WriteBuffer] // the time-out is for so much, not for a reply of any size
			}
			n, err := c.socket.Write(buf, c.stage.WriteTimeout)
			c.outbox.advance(n)
			c.account()
			if err != nil {
				c.mu.Lock()
				c.writing, c.writeErr = false, err
				if c.closed {
					c.outbox.drop()
				}
				c.roomForPushes()
				c.mu.Unlock()
				return
			}
		}
		c.mu.Lock()
		c.release()
		if c.outbox.front() == nil || c.closed {
			c.writing = false
			if c.closed {
				c.outbox.drop()
			}
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}
