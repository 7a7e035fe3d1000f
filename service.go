package understudy

import (
	"context"
	"errors"
	"fmt"

	"github.com/understudy-go/understudy/actors"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// Message is a pointer to a generated message type T. It makes the types of a handler's message and reply inferable, and
// rejects interfaces and values at compile time.
type Message[T any] interface {
	*T
	proto.Message
}

// Service is what a server serves: a pair of envelopes — messages with one oneof each, Req as clients send it, Resp as
// they get it — and a handler for each kind of request. Make one with [NewService] and fill it with [Handle] before it is
// given to [New]; after that it must not be changed. It may be given to several servers.
type Service[Req, Resp proto.Message] struct {
	table *actors.Table
	errs  []error
}

// Handlers is what [Config].Service takes: a *[Service] of any envelopes.
type Handlers interface {
	// build returns the table, or everything that is wrong with the service, joined.
	build() (*actors.Table, error)
}

// NewService returns a service without handlers for the envelopes Req and Resp. Resp must have an arm of type
// understudy.v1.Error, in which errors go out. What is wrong with the envelopes is reported by [New].
func NewService[Req, Resp proto.Message]() *Service[Req, Resp] {
	s := &Service[Req, Resp]{}
	var req Req
	var resp Resp
	requests, err := messages.NewEnvelope(req)
	s.fail(err)
	replies, err := messages.NewEnvelope(resp)
	s.fail(err)
	if len(s.errs) > 0 {
		return s
	}
	s.table, err = actors.NewTable(requests, replies)
	s.fail(err)
	return s
}

// Handle registers h for the request arm whose message is an In; its replies go out in the reply arm whose message is an
// Out. Several workers call h at once, and a call may run on the goroutine that reads the connection. The message is h's
// own. The context ends at the request's deadline, when the connection is gone, and when a drain is forced.
//
// An error is answered with the code of the [messages.Status] or [messages.Code] that it is or wraps, with
// DEADLINE_EXCEEDED or CANCELLED for a context's error, and with UNKNOWN and its text otherwise. A panic is answered with
// INTERNAL and an incident id.
//
// What is wrong — no such arm, several of the type, an arm handled twice, a nil h, an option that does not fit — is
// reported by [New].
func Handle[Req, Resp proto.Message, I, O any, In Message[I], Out Message[O]](s *Service[Req, Resp], h func(context.Context, In) (Out, error), options ...HandlerOption) {
	if s.table == nil {
		return
	}
	request, err := armOf(s.table.Requests, In(new(I)))
	if err != nil {
		s.fail(err)
		return
	}
	if h == nil {
		s.fail(fmt.Errorf("service: the handler of arm %s is nil", request.Name))
		return
	}
	reply, err := armOf(s.table.Replies, Out(new(O)))
	if err != nil {
		s.fail(err)
		return
	}
	take := func(ctx context.Context, in proto.Message) (proto.Message, error) {
		out, err := h(ctx, in.(In))
		if err != nil || out == nil {
			return nil, err
		}
		return out, nil
	}
	decode := func(inner []byte) (In, error) {
		in := In(new(I))
		if err := proto.Unmarshal(inner, in); err != nil {
			return nil, &messages.Status{Code: messages.InvalidArgument, Op: request.Name, Message: "the request does not decode", Cause: err}
		}
		return in, nil
	}
	call := func(ctx context.Context, inner []byte) (proto.Message, error) {
		in, err := decode(inner)
		if err != nil {
			return nil, err
		}
		out, err := h(ctx, in)
		if err != nil || out == nil {
			return nil, err
		}
		return out, nil
	}
	handler := &actors.Handler{
		Name: request.Name, Reply: reply, Call: call, Take: take,
		Decode: func(inner []byte) (proto.Message, error) { return decode(inner) },
	}
	for _, o := range options {
		if o == nil {
			s.fail(fmt.Errorf("service: an option of arm %s is nil", request.Name))
		} else if err := o.apply(handler, In(nil)); err != nil {
			s.fail(fmt.Errorf("service: arm %s: %w", request.Name, err))
		}
	}
	s.fail(s.table.Add(request.Number, handler))
}

func armOf(e *messages.Envelope, m proto.Message) (*messages.Arm, error) {
	name := m.ProtoReflect().Descriptor().FullName()
	switch arms := e.ArmsOf(name); len(arms) {
	case 1:
		return arms[0], nil
	case 0:
		return nil, fmt.Errorf("service: envelope %s has no arm of type %s", e.Name(), name)
	default:
		return nil, fmt.Errorf("service: envelope %s has the arms %s and %s of type %s; which one is meant cannot be told", e.Name(), arms[0].Name, arms[1].Name, name)
	}
}

func (s *Service[Req, Resp]) fail(err error) {
	if err != nil {
		s.errs = append(s.errs, err)
	}
}

func (s *Service[Req, Resp]) build() (*actors.Table, error) {
	if s == nil || (s.table == nil && len(s.errs) == 0) {
		return nil, errors.New("service: it was not made by NewService")
	}
	return s.table, errors.Join(s.errs...)
}
