package actors

import (
	"context"

	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// A handler that borrows gives its message back when it returns: the worker has one for each such handler, and uses it
// again. It may alias the read buffer, which is safe for as long as the call lasts: the buffer of a burst is recycled by
// the goroutine that called the handler, and that of a burst which was detached or seized never.

// Loan is a message that is lent, and how it is used again. The functions are found once, not once a request.
type Loan struct {
	In     proto.Message
	Decode func(inner []byte) error // into In, which is empty; it may alias inner
	Reset  func()                   // empties In
	Strict messages.Strict          // In, if it is one, and Decode is its UnmarshalVTUnsafe: then neither function need be called
	// Watch returns a function that says whether In is still reachable. It does not itself keep it so.
	Watch func() (reachable func() bool)
}

// decode is Decode.
func (l *Loan) decode(inner []byte) error {
	if l.Strict != nil {
		return l.Strict.UnmarshalVTUnsafe(inner)
	}
	return l.Decode(inner)
}

// empty is Reset.
func (l *Loan) empty() {
	if l.Strict != nil {
		messages.Empty(l.Strict)
	} else {
		l.Reset()
	}
}

// take has a request handled: by a message of its own, or by one that is lent.
func (r *run) take() (proto.Message, error) {
	c, w := &r.call, r.worker
	h := c.handler
	if h.Lend == nil {
		r.burst.exposed = true
		return c.do(r.context(r.burst.ctx, c))
	}
	if c.in != nil {
		return c.take(r.context(r.burst.ctx, c), c.in) // it was decoded to find the handler: there is nothing to save
	}
	if w.stage.CheckBorrowed {
		return r.callChecked(c)
	}
	// Out of its place while it is lent: after a crash or a runtime.Goexit nobody can say who still has it.
	loan := w.spare[h.index]
	if loan == nil {
		loan = h.Lend()
	} else {
		w.spare[h.index] = nil
	}
	r.lent = loan
	if err := loan.decode(c.inner); err != nil {
		return nil, c.undecodable(err)
	}
	return c.take(r.context(r.burst.ctx, c), loan.In)
}

// giveBack takes what was lent back, once the reply, which may be the same message, is encoded.
func (r *run) giveBack() {
	if r.checking != nil {
		r.endChecking()
	}
	if r.lent == nil {
		return
	}
	r.lent.empty() // what it aliases is not to be kept by it
	r.worker.spare[r.handler.index] = r.lent
	r.lent = nil
}

// take lets the handler work on a message.
func (c *call) take(ctx context.Context, in proto.Message) (reply proto.Message, err error) {
	reply, err = c.handler.Take(ctx, in)
	if err == nil && reply == nil {
		err = &messages.Status{Code: messages.Internal, Op: c.handler.Name, Message: "the handler returned neither a reply nor an error", Cause: errNoReply}
	}
	return reply, err
}

func (c *call) undecodable(err error) error {
	return &messages.Status{Code: messages.InvalidArgument, Op: c.handler.Name, Message: "the request does not decode", Cause: err}
}
