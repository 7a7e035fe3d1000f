package understudy

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/understudy-go/understudy/actors"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// Message is a pointer to a generated message type T. It makes the types of a handler's message and reply inferable, and
// rejects interfaces and values at compile time. It is for type parameters only: whoever writes a function around [Handle] or
// [HandleActor] needs it, and nobody else.
type Message[T any] interface {
	*T
	proto.Message
}

// Service is what a server serves: a pair of envelopes — messages with one oneof each, Req as clients send it, Resp as
// they get it — and a handler for each kind of request. Make one with [NewService] and fill it with [Handle] before it is
// given to [New]; after that it must not be changed. It may be given to several servers. Until then one goroutine at a time may
// use it. Its zero value, and nil, are refused by New.
type Service[Req, Resp proto.Message] struct {
	table    *actors.Table
	handlers []*registration
	wraps    []Middleware // around every handler
	opened   func(*Session)
	closed   func(*Session)
	errs     []error
	once     sync.Once // of wrap: the service may be given to several servers
}

// Handlers is what [Config].Service takes: a *[Service] of any envelopes, and nothing else.
type Handlers interface {
	// build returns the table, or everything that is wrong with the service, joined.
	build() (*actors.Table, error)
	// kinds returns how many handlers there are.
	kinds() int
}

// NewService returns a service without handlers for the envelopes Req and Resp. An arm of type understudy.v1.Error in Resp is
// where errors go out. Without one a request that ends in an error has no reply: what came before it is answered, and the
// connection is closed; the requests behind it are counted as dropped. Fields outside the oneof are for [Service.RequestID]
// and [EnvelopeOf]; a service that has some cannot be served unframed. A request in an arm without a handler is answered with
// UNIMPLEMENTED. What is wrong with the envelopes is reported by [New].
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
// Out. Where an envelope has several arms of the type, [Arm] and [ReplyArm] say which is meant. Several workers call h at
// once. The message is h's own, unless h is registered as [Borrowing]. The context carries the request's deadline, and ends
// then, when the connection is gone, when a drain is forced, and when the requests that were read with this one have all been
// answered. It costs no timer unless its Done is asked for.
//
// A call may run on the goroutine that reads the connection. While it does, nobody sees whether the peer is still there, so its
// context learns of a disconnect only when the call has stalled and another goroutine reads on, or when a reply cannot be
// written. A handler that waits for something should be registered as [Slow].
//
// An error is answered with the code of the [messages.Status] or [messages.Code] that it is or wraps, with
// DEADLINE_EXCEEDED or CANCELLED for a context's error, and with UNKNOWN and its text otherwise. A panic is answered with
// INTERNAL and an incident id, and so is neither a reply nor an error. A reply is encoded when h has returned it, and not kept.
//
// What is wrong — no such arm, several of the type, an arm handled twice, a nil h, an option that does not fit — is
// reported by [New].
func Handle[Req, Resp proto.Message, I, O any, In Message[I], Out Message[O]](s *Service[Req, Resp], h func(context.Context, In) (Out, error), options ...HandlerOption) {
	if s.table == nil {
		return
	}
	handler := &actors.Handler{Decode: decode[I, In]}
	if h != nil {
		handler.Take = func(ctx context.Context, in proto.Message) (proto.Message, error) {
			out, err := h(ctx, in.(In))
			if err != nil || out == nil {
				return nil, err
			}
			return out, nil
		}
	}
	r := &registration{handler: handler, in: In(nil)}
	s.register(r, In(new(I)), Out(new(O)), options)
	setDecoding[I, In](r, Out(nil))
}

// register finds the arms of a handler, applies its options, and puts it into the table.
func (s *Service[Req, Resp]) register(r *registration, in, out proto.Message, options []HandlerOption) {
	what := string(in.ProtoReflect().Descriptor().FullName())
	var errs []error
	for _, o := range options {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
		} else if err := o.apply(r); err != nil {
			errs = append(errs, err)
		}
	}
	request, err := armOf(s.table.Requests, in, r.arm, "Arm")
	if err == nil {
		what = "arm " + request.Name
	}
	errs = append(errs, err)
	var reply *messages.Arm
	if r.handler.Actor == nil || r.replyArm != "" {
		reply, err = r.findReply(s.table.Replies, out)
		errs = append(errs, err)
	}
	errs = append(errs, r.check())
	if err := errors.Join(errs...); err != nil {
		for _, err := range errs {
			if err != nil {
				s.fail(fmt.Errorf("service: the handler of %s: %w", what, err))
			}
		}
		return
	}
	r.handler.Name, r.handler.Reply = request.Name, reply
	s.handlers = append(s.handlers, r)
	s.fail(s.table.Add(request.Number, r.handler))
}

// armOf finds an arm by the type of its message, and by its name if that is given.
func armOf(e *messages.Envelope, m proto.Message, name, option string) (*messages.Arm, error) {
	typ := m.ProtoReflect().Descriptor().FullName()
	arms := e.ArmsOf(typ)
	if name != "" {
		for _, a := range arms {
			if a.Name == name {
				return a, nil
			}
		}
		return nil, fmt.Errorf("envelope %s has no arm %s of type %s", e.Name(), name, typ)
	}
	switch len(arms) {
	case 1:
		return arms[0], nil
	case 0:
		return nil, fmt.Errorf("envelope %s has no arm of type %s", e.Name(), typ)
	default:
		return nil, fmt.Errorf("envelope %s has the arms %s and %s of type %s; say which one with %s", e.Name(), arms[0].Name, arms[1].Name, typ, option)
	}
}

func (s *Service[Req, Resp]) fail(err error) {
	if err != nil {
		s.errs = append(s.errs, err)
	}
}

func (s *Service[Req, Resp]) kinds() int { return len(s.handlers) }

func (s *Service[Req, Resp]) build() (*actors.Table, error) {
	if s == nil || (s.table == nil && len(s.errs) == 0) {
		return nil, errors.New("service: it was not made by NewService")
	}
	s.once.Do(func() {
		s.wrap()
		if s.table != nil {
			s.table.Opened, s.table.Closed = ofPeer(s.opened), ofPeer(s.closed)
		}
	})
	return s.table, errors.Join(s.errs...)
}
