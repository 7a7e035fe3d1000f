package understudy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// HandlerFunc handles one request of any kind, as [Middleware] sees it: in is the message of the request's arm, never nil, and the
// reply that of the reply's arm. The context is the handler's, and what is said of goroutines, errors and panics at [Handle] holds.
type HandlerFunc func(ctx context.Context, in proto.Message) (proto.Message, error)

// Middleware makes a handler of a handler: one that does something before and after next, or instead of it. It is called
// once for each handler, with the name of its request arm; what it returns is called as the handler is, by several workers
// at once, sees the message as decoded, and may panic: that is answered as the handler's own panic is. It may pass on
// another context, made from the one it got, and another message of the same type, and return another reply of the same
// type, or an error, which is answered as a handler's is.
type Middleware func(arm string, next HandlerFunc) HandlerFunc

// Use has every handler of the service, those included that are registered later, stand inside of middleware: the first
// one is outermost, and those of a later call stand inside of those of an earlier one. None is no change. A nil one is reported
// by [New], and so is one that returns nil or panics when it is called. After New it has no effect.
func (s *Service[Req, Resp]) Use(all ...Middleware) {
	for _, m := range all {
		if m == nil {
			s.fail(errors.New("service: a middleware is nil"))
			return
		}
	}
	s.wraps = append(s.wraps, all...)
}

// With has this handler stand inside of middleware, which itself stands inside of that of [Service.Use]; the first one is
// outermost. A nil one is reported by [New]. It is not for actors.
func With(all ...Middleware) HandlerOption {
	return handlerOption(func(r *registration) error {
		for _, m := range all {
			if m == nil {
				return errors.New("a middleware is nil")
			}
		}
		r.wraps = append(r.wraps, all...)
		return nil
	})
}

// wrap puts the middleware around the handlers, once.
func (s *Service[Req, Resp]) wrap() {
	for _, r := range s.handlers {
		if r.handler.Actor != nil {
			if len(s.wraps) > 0 && !r.unwrapped {
				s.fail(fmt.Errorf("service: the middleware of Use does not stand around the actor that handles arm %s; say Unwrapped if that is meant", r.handler.Name))
			}
			continue
		}
		wraps := slices.Concat(s.wraps, r.wraps)
		if len(wraps) == 0 {
			continue
		}
		h := HandlerFunc(r.handler.Take)
		for _, m := range slices.Backward(wraps) {
			var err error
			if h, err = m.around(r.handler.Name, h); err != nil {
				s.fail(fmt.Errorf("service: a middleware of arm %s %w", r.handler.Name, err))
				return
			}
		}
		r.handler.Take = r.sameType(h)
		r.handler.Return = nil // a middleware may keep a reply
	}
}

// around makes the handler. A middleware that panics leaves an error, which stays: were the panic to get out, and somebody
// to recover it, the service would be served without it.
func (m Middleware) around(arm string, next HandlerFunc) (h HandlerFunc, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panicked: %v", r)
		}
	}()
	if h = m(arm, next); h == nil {
		return nil, errors.New("returned nil")
	}
	return h, nil
}

// sameType sees to it that no reply goes out in an arm of another type.
func (r *registration) sameType(h HandlerFunc) HandlerFunc {
	want := r.handler.Reply.Type.Descriptor()
	return func(ctx context.Context, in proto.Message) (proto.Message, error) {
		out, err := h(ctx, in)
		if out != nil && !out.ProtoReflect().IsValid() {
			out = nil // a nil pointer of some type: an interface that is nil, to whoever looks at it next
		}
		if err == nil && out != nil && out.ProtoReflect().Descriptor() != want {
			return nil, &messages.Status{
				Code: messages.Internal, Op: r.handler.Name, Message: "the reply is of another type",
				Cause: fmt.Errorf("a middleware replied with %T instead of %s", out, want.FullName()),
			}
		}
		return out, err
	}
}
