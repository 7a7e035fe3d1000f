package understudy

import (
	"errors"
	"fmt"

	"github.com/understudy-go/understudy/actors"
	"google.golang.org/protobuf/proto"
)

// HandlerOption says how requests of one kind are handled. See [Handle].
type HandlerOption interface {
	apply(h *actors.Handler, in proto.Message) error
}

type handlerOption func(h *actors.Handler, in proto.Message) error

func (o handlerOption) apply(h *actors.Handler, in proto.Message) error { return o(h, in) }

// Slow declares that the handler takes long: more than a fifth of a millisecond, or not to be foretold, as it waits for
// something. It is then never called on a goroutine that reads a connection, and requests that come together are handled
// by as many workers as are idle. Handlers that are not declared slow are measured, and treated in the same way after two
// slow bursts in a row.
func Slow() HandlerOption {
	return handlerOption(func(h *actors.Handler, _ proto.Message) error {
		h.Slow = true
		return nil
	})
}

// Idempotent declares that the handler may be called more than once for one request. If it crashes it is called again,
// with the message decoded anew, on another worker if one is idle, up to [Config].Retries times, and not after the
// request's deadline. A handler that returns an error, or misses the deadline, is not called again.
func Idempotent() HandlerOption {
	return handlerOption(func(h *actors.Handler, _ proto.Message) error {
		h.Idempotent = true
		return nil
	})
}

// Key gives the handler's requests a key. Of all requests with the same key, of every handler and every connection, one is
// handled at a time; those of one connection are handled in the order of their arrival. Requests with other keys go on
// meanwhile — except that keys are hashed to 1,024 slots, and two keys of one slot are treated as one.
//
// A handler that misses its deadline loses its hold on the key: what it still does then may coincide with the next
// request's handler.
//
// In is the handler's message type. key is called on the goroutine that reads the connection, must be fast, must not keep
// or change its message, and must give the same key for the same message. A request that does not decode has no key; one
// whose key function panics is answered INTERNAL.
func Key[In proto.Message](key func(in In) string) HandlerOption {
	return handlerOption(func(h *actors.Handler, in proto.Message) error {
		if key == nil {
			return errors.New("the key function is nil")
		}
		if _, ok := in.(In); !ok {
			return fmt.Errorf("the key function takes a %T, and the handler a %T", *new(In), in)
		}
		if h.Key != nil {
			return errors.New("there are two key functions")
		}
		h.Key = func(in proto.Message) string { return key(in.(In)) }
		return nil
	})
}
