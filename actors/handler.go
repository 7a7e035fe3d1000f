package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Handler serves one kind of request.
type Handler struct {
	Name  string        // the request arm's name
	Reply *messages.Arm // the reply arm its results go out in
	// Call decodes the inner message and handles it. It runs on a worker's goroutine or on a session's reader.
	Call func(ctx context.Context, inner []byte) (proto.Message, error)
	// Take handles a message that was decoded already.
	Take func(ctx context.Context, in proto.Message) (proto.Message, error)
}

// Table is a service as the workers see it: how to read a request, who handles it, and how to write what went wrong.
type Table struct {
	Requests *messages.Envelope
	Replies  *messages.Envelope
	ErrorArm *messages.Arm // the arm of understudy.v1.Error in the reply
	handlers []*Handler    // by the number of the request arm
}

// NewTable returns a table without handlers. It fails if the replies have no arm for errors.
func NewTable(requests, replies *messages.Envelope) (*Table, error) {
	arms := replies.ArmsOf((&messages.Error{}).ProtoReflect().Descriptor().FullName())
	if len(arms) != 1 {
		return nil, fmt.Errorf("envelope %s: has %d arms of type understudy.v1.Error, and must have one", replies.Name(), len(arms))
	}
	return &Table{Requests: requests, Replies: replies, ErrorArm: arms[0]}, nil
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
	return nil
}

func (t *Table) handler(number protowire.Number) *Handler {
	if int(number) >= len(t.handlers) {
		return nil
	}
	return t.handlers[number]
}

// call finds the handler of one encoded request and lets it work.
func (t *Table) call(ctx context.Context, frame []byte) (*Handler, proto.Message, error) {
	var in proto.Message
	arm, inner := t.Requests.Open(frame)
	if arm == nil {
		var err error
		if arm, in, err = t.Requests.Decode(frame); err != nil {
			return nil, nil, err
		}
	}
	h := t.handler(arm.Number)
	if h == nil {
		return nil, nil, &messages.Status{Code: messages.Unimplemented, Op: "route", Message: "no handler for " + arm.Name}
	}
	var reply proto.Message
	var err error
	if in != nil {
		reply, err = h.Take(ctx, in)
	} else {
		reply, err = h.Call(ctx, inner)
	}
	if err == nil && reply == nil {
		err = &messages.Status{Code: messages.Internal, Op: h.Name, Message: "the handler returned neither a reply nor an error", Cause: errNoReply}
	}
	return h, reply, err
}

var errNoReply = errors.New("handler returned nil, nil")
