package actors

import (
	"context"

	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// What the server says to a peer unasked goes out before the replies that are not written yet: it waits for no handler,
// and no handler that pushes waits for itself. While WindowBytes of pushes are not written, a connection takes no more of
// them; and they count as replies do in what keeps the connection from being read.

// pushes is what a connection has been given to push; guarded by mu. Most connections are never given any.
type pushes struct {
	buf       []byte        // not moved to the outbox yet
	n         int           // in buf
	unwritten int           // bytes, here and in the outbox
	room      chan struct{} // closed when there may be room again; nil if nobody waits
	taken     int64         // messages, so far
	sent      int64         // of these
}

// push encodes a message and has it written. If there is no room, it may wait until there is, or ctx ends.
func (c *connection) push(ctx context.Context, wait bool, arm *messages.Arm, m proto.Message) error {
	frame, err := c.encoder().reply(nil, 0, arm, m)
	if err != nil {
		return &messages.Status{Code: messages.Internal, Op: "push", Message: "the message does not encode", Cause: err, NotStarted: true}
	}
	for {
		room, err := c.tryPush(frame, wait)
		if room == nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return &messages.Status{Code: messages.StatusOf(ctx.Err()).Code, Op: "push", Message: "the peer takes no more", Cause: ctx.Err(), NotStarted: true}
		}
	}
}

// tryPush takes a frame, or returns what to wait for, or why there is nothing to wait for.
func (c *connection) tryPush(frame []byte, wait bool) (room <-chan struct{}, err error) {
	c.mu.Lock()
	switch {
	case c.closed || c.sealed || c.writeErr != nil:
		c.mu.Unlock()
		return nil, &messages.Status{Code: messages.Unavailable, Op: "push", Message: "the session is closed", NotStarted: true}
	case c.pushes == nil || c.pushes.unwritten < c.stage.WindowBytes:
		if c.pushes == nil {
			c.pushes = new(pushes)
		}
		c.pushes.buf = append(c.pushes.buf, frame...)
		c.pushes.n++
		c.pushes.unwritten += len(frame)
		c.unwritten += len(frame)
		c.pushes.taken++
		c.mu.Unlock()
		c.wake()
		return nil, nil
	case !wait:
		c.mu.Unlock()
		return nil, &messages.Status{
			Code: messages.ResourceExhausted, Op: "push", Message: "the peer takes no more at the moment", RetryAfter: retryAfter, NotStarted: true,
		}
	}
	if c.pushes.room == nil {
		c.pushes.room = make(chan struct{})
	}
	room = c.pushes.room
	c.mu.Unlock()
	return room, nil
}

// releasePushes moves what is to be pushed to the outbox. The caller holds mu and owns the outbox.
func (c *connection) releasePushes() {
	if c.pushes != nil && c.pushes.n > 0 {
		c.outbox.push(c.pushes.buf, content{pushes: c.pushes.n, pushed: len(c.pushes.buf)})
		c.pushes.buf, c.pushes.n = nil, 0
	}
}

// pushed notes what was written. The caller holds mu.
func (c *connection) pushed(written content) {
	if c.pushes == nil {
		return
	}
	c.pushes.sent += int64(written.pushes)
	c.pushes.unwritten -= written.pushed
	if c.pushes.unwritten < c.stage.WindowBytes {
		c.roomForPushes()
	}
}

// roomForPushes has whoever waits look again. The caller holds mu.
func (c *connection) roomForPushes() {
	if c.pushes != nil && c.pushes.room != nil {
		close(c.pushes.room)
		c.pushes.room = nil
	}
}
