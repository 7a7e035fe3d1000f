package client

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy/messages"
)

// readBuffer is how many bytes the reader has room for at first.
const readBuffer = 16 << 10

// read is the reader's goroutine: it hands replies to their calls until the connection ends, and then the calls that are left
// their error. No other goroutine takes calls out of pending.
func (c *Client) read() {
	c.end(c.readReplies())
	_ = c.conn.Close() // nothing can be done about its failing, and no call depends on it

	c.mu.Lock() // end has been called: pending does not grow any more
	sent := len(c.pending) - c.unsent
	c.out = nil
	c.mu.Unlock()
	for i := range len(c.pending) {
		c.finish(<-c.pending, outcome{err: c.unavailable(i >= sent)})
	}
}

// readReplies returns why there are no more replies; never nil.
func (c *Client) readReplies() error {
	buf := make([]byte, 0, readBuffer)
	for {
		n, readErr := c.conn.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		used, err := c.cut(buf)
		if err = cmp.Or(err, readErr); err != nil {
			return err
		}
		rest := buf[used:]
		if len(rest) == 0 && cap(buf) > keepBuffer {
			buf = make([]byte, 0, readBuffer)
			continue
		}
		buf = append(buf[:0], rest...)
		if len(buf) == cap(buf) { // what is held is part of one frame, so the limit of a frame bounds this
			buf = slices.Grow(buf, len(buf))
		}
	}
}

// cut hands out the whole replies at the start of buf and returns how many bytes they took.
func (c *Client) cut(buf []byte) (used int, err error) {
	for used < len(buf) {
		payload, n, _, err := c.framing.Next(buf[used:], c.maxFrame)
		if err != nil {
			return used, err
		}
		if n == 0 {
			return used, nil
		}
		used += n
		o := decode(payload)
		select {
		case answered := <-c.pending:
			c.finish(answered, o)
		default:
			return used, unasked(o)
		}
	}
	return used, nil
}

// unasked returns the error for a reply that no request waits for. If it is an error itself, that may say why the server is
// about to close.
func unasked(o outcome) error {
	if o.err != nil {
		return fmt.Errorf("the server sent without being asked: %w", o.err)
	}
	return errors.New("the server sent a reply without being asked")
}

// finish gives a call its outcome and its place to another.
func (c *Client) finish(answered *call, o outcome) {
	answered.done <- o
	<-c.slots
}

// decode reads a reply. A reply that is an error becomes the outcome's error, and so does one that cannot be understood: its
// place in the stream is known, so the connection goes on.
func decode(payload []byte) outcome {
	m := new(messages.ServerMessage)
	if err := proto.Unmarshal(payload, m); err != nil {
		return outcome{err: &messages.Status{Code: messages.Internal, Op: "call", Message: "the reply does not decode", Cause: err}}
	}
	switch m.GetMessage().(type) {
	case nil:
		return outcome{err: &messages.Status{Code: messages.Internal, Op: "call", Message: "the reply has no known arm"}}
	case *messages.ServerMessage_Error:
		return outcome{err: messages.FromProto(m.GetError())}
	}
	return outcome{reply: m}
}
