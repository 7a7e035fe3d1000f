package actors

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Handler serves one kind of request.
type Handler struct {
	Name  string        // the request arm's name
	Reply *messages.Arm // the reply arm its results go out in
	// Decode decodes the inner message, and Take handles it. They run on a worker's goroutine or on a session's reader.
	Decode func(inner []byte) (proto.Message, error)
	Take   func(ctx context.Context, in proto.Message) (proto.Message, error)

	// Key, if there is one, says which requests are served one after the other, in order: those with the same key. It is
	// called on the reader's goroutine.
	Key func(in proto.Message) string
	// Lend, if there is one, makes a message that is lent to Take again and again. Take must not keep the message or its context
	// then, and not write to the message.
	Lend func() *Loan
	// Return, if there is one, is given each reply of a handler that borrows, once it is encoded.
	Return func(reply proto.Message)

	Slow       bool // never called on a reader's goroutine
	Idempotent bool // called again if it crashes

	// Deadline is how long its requests may take, from their arrival; 0 is the server's.
	Deadline time.Duration
	// Actor is who handles the requests in place of Take; nil is none. The reply's arm is that of its response's type, unless
	// Reply is set.
	Actor *actor.PID

	index   int          // in the table
	stalled atomic.Int64 // calls that are detached
	kept    atomic.Bool  // it was found to keep what it had borrowed
}

// Table is a service as the workers see it: how to read a request, who handles it, and how to write what went wrong.
type Table struct {
	Requests *messages.Envelope
	Replies  *messages.Envelope
	ErrorArm *messages.Arm // the arm of understudy.v1.Error in the reply; nil if there is none, and errors close the connection
	// RequestID and ReplyID are the fields, outside the oneofs, in which a request says its id and its reply repeats it; nil if
	// requests have none. With them replies leave in any order.
	RequestID, ReplyID *messages.IDField
	Opened             func(*Peer) // called before the first request of a connection is read, on a goroutine of its own; may be nil
	Closed             func(*Peer) // called when a connection is closed, likewise
	outside            bool        // requests have fields outside the oneof
	handlers           []*Handler  // by the number of the request arm
	sorts              bool        // some handler has a key, is slow, has a deadline of its own, or is an actor
	keys               bool        // some handler has a key
	mixed              bool        // some handler has a deadline of its own
	asks               bool        // some handler is an actor
	count              int         // how many handlers there are
}

// NewTable returns a table without handlers. It fails if the replies have several arms for errors.
func NewTable(requests, replies *messages.Envelope) (*Table, error) {
	arms := replies.ArmsOf((&messages.Error{}).ProtoReflect().Descriptor().FullName())
	t := &Table{Requests: requests, Replies: replies, outside: len(requests.Outside()) > 0}
	switch len(arms) {
	case 0:
	case 1:
		t.ErrorArm = arms[0]
	default:
		return nil, fmt.Errorf("envelope %s: has %d arms of type understudy.v1.Error, and must have one or none", replies.Name(), len(arms))
	}
	return t, nil
}

// Add registers a handler for the request arm with the given number. It fails if there is one already.
func (t *Table) Add(number protowire.Number, h *Handler) error {
	for len(t.handlers) <= int(number) {
		t.handlers = append(t.handlers, nil)
	}
	if t.handlers[number] != nil {
		return fmt.Errorf("arm %s is handled twice", h.Name)
	}
	t.handlers[number] = h
	h.index = t.count
	t.count++
	t.sorts = t.sorts || h.Key != nil || h.Slow || h.Deadline > 0 || h.Actor != nil
	t.keys = t.keys || h.Key != nil
	t.mixed = t.mixed || h.Deadline > 0
	t.asks = t.asks || h.Actor != nil
	return nil
}

// Asks says whether some handler is an actor of the user's.
func (t *Table) Asks() bool { return t.asks }

func (t *Table) handler(number protowire.Number) *Handler {
	if int(number) >= len(t.handlers) {
		return nil
	}
	return t.handlers[number]
}

// call is one request whose handler was found.
type call struct {
	handler *Handler
	inner   []byte        // the encoded message inside
	in      proto.Message // or the message, if it had to be decoded to find the handler
	whole   proto.Message // then also the envelope
}

// find finds the handler of one encoded request, for c.
func (t *Table) find(c *call, frame []byte) error {
	var inner []byte
	arm := t.short(frame)
	if arm != nil {
		inner = frame[2:]
	} else if arm, inner = t.open(frame); arm == nil {
		return t.findWhole(c, frame)
	}
	c.handler, c.inner, c.in, c.whole = t.handler(arm.Number), inner, nil, nil
	if c.handler == nil {
		return unhandled(arm)
	}
	return nil
}

// findWhole does so by decoding it.
func (t *Table) findWhole(c *call, frame []byte) error {
	arm, in, whole, err := t.Requests.DecodeWhole(frame)
	if err != nil {
		return err
	}
	c.handler, c.inner, c.in, c.whole = t.handler(arm.Number), nil, in, whole
	if c.handler == nil {
		return unhandled(arm)
	}
	return nil
}

func unhandled(arm *messages.Arm) error {
	return &messages.Status{Code: messages.Unimplemented, Op: "route", Message: "no handler for " + arm.Name}
}

// short is open for the most usual form of an envelope without ids; see [messages.Envelope.Short].
func (t *Table) short(frame []byte) *messages.Arm {
	if t.RequestID != nil {
		return nil
	}
	return t.Requests.Short(frame)
}

func (t *Table) open(frame []byte) (arm *messages.Arm, inner []byte) {
	if t.RequestID == nil {
		return t.Requests.Open(frame)
	}
	arm, inner, _ = t.Requests.OpenWithID(frame, t.RequestID)
	return arm, inner
}

// Framed says whether requests or replies can only be told apart in frames: a field outside the oneof stands beside the arm.
func (t *Table) Framed() bool {
	return len(t.Requests.Outside()) > 0 || len(t.Replies.Outside()) > 0
}

// key asks for the request's key, which its handler has one for.
func (c *call) key() (string, error) {
	in, err := c.message()
	if err != nil {
		return "", err
	}
	return c.handler.Key(in), nil
}

// message returns the message inside, decoded.
func (c *call) message() (proto.Message, error) {
	if c.in != nil {
		return c.in, nil
	}
	in, err := c.handler.Decode(c.inner)
	if err != nil {
		return nil, c.undecodable(err)
	}
	return in, nil
}

// do lets the handler work.
func (c *call) do(ctx context.Context) (reply proto.Message, err error) {
	in, err := c.message()
	if err != nil {
		return nil, err
	}
	return c.take(ctx, in)
}

var errNoReply = errors.New("handler returned nil, nil")
