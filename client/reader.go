package client

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/understudy-go/understudy/messages"
)

// readBuffer is how many bytes the reader has room for at first.
const readBuffer = 16 << 10

// read is the reader's goroutine: it hands replies to their calls until the connection ends, and then the calls that are left
// their error. No other goroutine takes requests out of pending.
func (on *conn) read() {
	on.end(on.readReplies())
	_ = on.raw.Close() // nothing can be done about its failing, and no call depends on it

	on.mu.Lock() // end has been called: pending does not grow any more
	cause, taken, left := on.err, on.taken, on.pending.takeAll()
	on.out = nil
	on.mu.Unlock()
	on.c.remove(on, cause) // before anybody hears of the end, so that nobody comes back to it
	for _, s := range left {
		if !s.finish(outcome{err: on.c.unavailable(cause, s.nth > taken), final: on.c.ctx.Err() != nil}) {
			on.c.recycle(s)
		}
	}
	if on.arrived != nil {
		close(on.arrived)
	}
}

// readReplies returns why there are no more replies; never nil.
func (on *conn) readReplies() error {
	buf := make([]byte, 0, readBuffer)
	for {
		n, readErr := on.raw.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		used, err := on.cut(buf)
		switch {
		case err != nil:
			return err
		case readErr != nil:
			return on.silent(readErr)
		}
		on.mu.Lock()
		on.expect()
		on.mu.Unlock()
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

// silent names a time-out of Options.Silence. Before the connection has ended there is no other.
func (on *conn) silent(err error) error {
	on.mu.Lock()
	defer on.mu.Unlock()
	if on.err == nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the server has sent nothing for %v, and replies are due: %w", on.c.o.Silence, err)
	}
	return err
}

// cut hands out the whole messages at the start of buf and returns how many bytes they took.
func (on *conn) cut(buf []byte) (used int, err error) {
	for used < len(buf) {
		payload, n, _, err := on.c.wire.framing.Next(buf[used:], on.c.wire.maxFrame)
		if err != nil {
			return used, err
		}
		if n == 0 {
			return used, nil
		}
		used += n
		m := on.c.wire.open(payload)
		if push, unasked := on.c.wire.isPush(&m); unasked {
			err = on.push(push, &m)
		} else {
			err = on.reply(&m)
		}
		if err != nil {
			return used, err
		}
	}
	return used, nil
}

// reply hands a reply to its call. The error is why the connection cannot go on.
func (on *conn) reply(m *opened) error {
	on.mu.Lock()
	s := on.pending.take(m.id)
	nameless := s == nil && m.id == 0 && on.nth == 1
	if nameless {
		// With ids, a server that refuses a connection has none to say. It is about the one request that there ever was.
		s = on.pending.takeAny()
	}
	if s == nil {
		// In one step with the look at pending: a request that came now would seem to have been sent, and then to be lost.
		err := on.c.wire.unasked(m)
		on.endLocked(err)
		on.mu.Unlock()
		return err
	}
	on.mu.Unlock()
	o, err := on.c.wire.outcome(s, m)
	if nameless {
		err = on.c.wire.unasked(m)
	}
	if err != nil {
		on.end(err) // before the caller hears of it, and sends the next request
	}
	// A server that has too many connections says so in place of the first reply: this is no sign of life.
	on.c.release(on, o.err == nil || !o.err.NotStarted)
	if !s.finish(o) {
		on.c.missed.Add(1)
		on.c.recycle(s)
	}
	return err
}

// outcome reads a reply. A reply that is an error becomes the outcome's error, and so does one that cannot be used. Without
// ids one of another kind than was asked for ends the connection, with the error: if it was no reply at all, as a server may
// push what nobody here knows of, every later reply would go to the wrong call.
func (w *wire) outcome(s *sent, m *opened) (o outcome, err error) {
	switch {
	case m.arm != nil && m.arm.Type.Descriptor().FullName() == errorName:
		e := new(messages.Error)
		if err := m.decode(e); err != nil {
			return outcome{err: misread("the reply is an error that does not decode", err), final: true}, nil
		}
		return outcome{err: messages.FromProto(e)}, nil
	case m.arm != nil && slices.Contains(s.want, m.arm):
		if err := m.decode(s.out); err != nil {
			return outcome{err: misread("the reply does not decode", err), final: true}, nil
		}
		return outcome{reply: s.out}, nil
	case m.arm != nil:
		o.err = misread(fmt.Sprintf("the reply is of another kind: it came in arm %s, and was to come in %s", m.arm.Name, s.want[0].Name), nil)
	case messages.StatusOf(m.err).Cause != nil:
		o.err = misread("the reply does not decode", messages.StatusOf(m.err).Cause)
	default:
		o.err = misread("the reply has no known arm", nil)
	}
	o.final = true
	if w.replyID == nil {
		err = fmt.Errorf("one more reply cannot be told from a message that nobody asked for: %s", o.err.Message)
	}
	return o, err
}

// unasked returns the error for a reply that no request waits for. If it is an error itself, that may say why the server is
// about to close.
func (w *wire) unasked(m *opened) error {
	what := "a message without a known arm"
	if m.arm != nil {
		what = "arm " + m.arm.Name
		if m.arm.Type.Descriptor().FullName() == errorName {
			if e := new(messages.Error); m.decode(e) == nil {
				return fmt.Errorf("the server sent without being asked: %w", messages.FromProto(e))
			}
		}
	}
	if m.id != 0 {
		return fmt.Errorf("the server sent a reply without being asked: %s with the request id %d", what, m.id)
	}
	return fmt.Errorf("the server sent a reply without being asked: %s", what)
}

// stalled returns the error of a connection whose pushes nobody takes.
func stalled(after time.Duration) error {
	return fmt.Errorf("the handlers of pushes took none for %v", after)
}
