package understudy

import (
	"errors"
	"fmt"
	"time"

	"github.com/understudy-go/understudy/actors"
	"google.golang.org/protobuf/proto"
)

// HandlerOption says how requests of one kind are handled; [Handle] and [HandleActor] take any number. They are made by [Arm],
// [ReplyArm], [Deadline], [Slow], [Idempotent], [Key], [Borrowing], [UnmarshalVT], [With] and, for actors, [Unwrapped]. One may be
// given to several handlers. Slow, Idempotent, Borrowing and Unwrapped given twice are as given once. What does not fit, and a nil
// option, is reported by [New].
type HandlerOption interface{ apply(r *registration) error }

// registration is what options change.
type registration struct {
	handler  *actors.Handler
	in       proto.Message // a nil message of the handler's type
	arm      string        // the request arm, if its type does not tell
	replyArm string
	wraps    []Middleware

	unwrapped   bool // an actor that is asked without the service's middleware
	borrowing   bool
	unmarshalVT bool
}

type handlerOption func(r *registration) error

func (o handlerOption) apply(r *registration) error { return o(r) }

// Arm says by its field name which arm of the request envelope is handled. It is needed where several arms have the
// type of the handler's message. A name that is empty, that no such arm has, or that is a second one, is reported by [New].
func Arm(name string) HandlerOption {
	return handlerOption(func(r *registration) error { return setOnce(&r.arm, "Arm", name) })
}

// ReplyArm says by its field name in which arm of the reply envelope the handler's replies go out. It is needed where
// several arms have their type. Of [HandleActor] it fixes the arm, which goes by the type of each response otherwise. Mistakes are
// reported by [New], as those of [Arm] are.
func ReplyArm(name string) HandlerOption {
	return handlerOption(func(r *registration) error { return setOnce(&r.replyArm, "ReplyArm", name) })
}

func setOnce(field *string, option, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s has no name", option)
	case *field != "":
		return fmt.Errorf("%s is given twice, as %s and %s", option, *field, name)
	}
	*field = name
	return nil
}

// Deadline is how long a request of this handler may take from its arrival, waiting included, in place of [Config].Deadline. d
// must be at least a millisecond, or [New] reports it; it is kept to within a fifth of [Config].Stall. Given twice, the last
// counts.
func Deadline(d time.Duration) HandlerOption {
	return handlerOption(func(r *registration) error {
		if d < time.Millisecond {
			return fmt.Errorf("Deadline is %s, and must be at least %s", d, time.Millisecond)
		}
		r.handler.Deadline = d
		return nil
	})
}

// Slow declares that the handler takes long: more than a fifth of a millisecond, or not to be foretold, as it waits for
// something. It is then never called on a goroutine that reads a connection, and requests that come together are handled
// by as many workers as are idle. Handlers that are not declared slow are measured, and treated in the same way after two
// slow bursts in a row.
func Slow() HandlerOption {
	return handlerOption(func(r *registration) error {
		r.handler.Slow = true
		return nil
	})
}

// Idempotent declares that the handler may be called more than once for one request. If it crashes it is called again,
// with the message decoded anew, on another worker if one is idle, up to [Config].Retries times, and not after the
// request's deadline. A handler that returns an error, or misses the deadline, is not called again.
func Idempotent() HandlerOption {
	return handlerOption(func(r *registration) error {
		r.handler.Idempotent = true
		return nil
	})
}

// Key gives the handler's requests a key. Of all requests with the same key, of every handler and every connection, one is
// handled at a time; those of one connection are handled in the order of their arrival. Requests with other keys go on
// meanwhile — except that keys are hashed to 1,024 slots, and two keys of one slot are treated as one.
//
// A handler that misses its deadline loses its hold on the key: what it still does then, or begins to do just as the deadline
// passes, may coincide with the next request's handler. Its context has ended by then.
//
// In is the handler's message type. key is called on the goroutine that reads the connection, must be fast, must not keep
// or change its message, and must give the same key for the same message. Until it returns nothing that was read with its
// request is served; at the deadline all of that is answered, and the connection is read on — unless [Config].MaxDetached key
// functions have not returned already. A request that does not decode has no key; one whose key function panics is answered
// INTERNAL. A nil key, one for another type of message, and a second one are reported by [New].
func Key[In proto.Message](key func(in In) string) HandlerOption {
	return handlerOption(func(r *registration) error {
		if key == nil {
			return errors.New("the key function is nil")
		}
		if _, ok := r.in.(In); !ok {
			return fmt.Errorf("the key function takes a %T, and the handler a %T", *new(In), r.in)
		}
		if r.handler.Key != nil {
			return errors.New("there are two key functions")
		}
		r.handler.Key = func(in proto.Message) string { return key(in.(In)) }
		return nil
	})
}
