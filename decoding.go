package understudy

import (
	"errors"
	"fmt"
	"weak"

	"github.com/understudy-go/understudy/actors"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// Borrowing declares that the handler only borrows its message and its context: it does not write to the message, and keeps
// neither of them, nor anything in them, after it has returned or panicked; its reply, which may be the message itself, is encoded
// first. The server then uses them again, so that a request costs no allocation, and the message may alias the buffer that
// was read. A reply that has a ReturnToVTPool, as vtprotobuf generates it, goes back into its pool, unless middleware has
// seen it. What a handler wants to keep it must copy (strings.Clone, proto.Clone). [Config.CheckBorrowed] looks whether
// that is so.
func Borrowing() HandlerOption {
	return handlerOption(func(r *registration) error {
		r.borrowing = true
		return nil
	})
}

// UnmarshalVT has the handler's message decoded by its own UnmarshalVT, as vtprotobuf generates it, and with [Borrowing] by
// its UnmarshalVTUnsafe if it has one. That is faster than google.golang.org/protobuf, but takes strings that are no valid
// UTF-8: the handler must be fit for them. (Replies are encoded by SizeVT and MarshalToSizedBufferVT wherever they have
// them.)
func UnmarshalVT() HandlerOption {
	return handlerOption(func(r *registration) error {
		if _, ok := r.in.(messages.Decoder); !ok {
			return fmt.Errorf("UnmarshalVT: a %T has no such method", r.in)
		}
		if r.unmarshalVT {
			return errors.New("UnmarshalVT is given twice")
		}
		r.unmarshalVT = true
		return nil
	})
}

// setDecoding says how messages of type I are decoded, once the options are known.
func setDecoding[I any, In Message[I]](r *registration, out proto.Message) {
	if r.unmarshalVT {
		r.handler.Decode = func(inner []byte) (proto.Message, error) {
			in := In(new(I))
			return in, any(in).(messages.Decoder).UnmarshalVT(inner)
		}
	}
	if !r.borrowing {
		return
	}
	if _, ok := out.(messages.Pooled); ok {
		r.handler.Return = func(reply proto.Message) { reply.(messages.Pooled).ReturnToVTPool() }
	}
	r.handler.Lend = func() *actors.Loan {
		in := new(I)
		strict, _ := any(in).(messages.Strict)
		return &actors.Loan{
			In: In(in), Decode: r.decodeInto(In(in)), Reset: messages.Resetter(In(in)), Strict: strict,
			Watch: func() func() bool {
				p := weak.Make(in)
				return func() bool { return p.Value() != nil }
			},
		}
	}
}

// decodeInto returns what decodes into a message that is lent, and empty.
func (r *registration) decodeInto(in proto.Message) func([]byte) error {
	borrower, unsafe := in.(messages.Borrower)
	_, strict := in.(messages.Strict)
	switch {
	case strict || r.unmarshalVT && unsafe:
		return borrower.UnmarshalVTUnsafe
	case r.unmarshalVT:
		return in.(messages.Decoder).UnmarshalVT
	default:
		return func(b []byte) error { return proto.UnmarshalOptions{Merge: true}.Unmarshal(b, in) }
	}
}
