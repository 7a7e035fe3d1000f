package client

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// Message is a pointer to a generated message type T. It lets the types of replies and pushes be named without a star. It is for
// type parameters only.
type Message[T any] interface {
	*T
	proto.Message
}

// Call sends in, in the arm of the request envelope that has its type, and waits for the reply, which is an *O and the caller's
// own. Of several arms of the type, [Arm] says which is meant. It may be called from any goroutine, and does not keep or change
// in. It waits for a connection with room, for the reply, and before each further try. ctx ends the waiting: without a deadline,
// a server that does not reply is waited for for as long as the connection lasts, see [Options].Silence.
//
// The error is a *[messages.Status]:
//
//   - what the server answered, if that was an error;
//   - Canceled or DeadlineExceeded, which match the context's own errors too, if ctx ended first; the reply is dropped when it
//     comes, and until then the request counts as one in flight. The server is not told of ctx;
//   - Unavailable, if there is no connection to be had, if the connection has ended before the reply, or if c is closed;
//   - InvalidArgument or ResourceExhausted, with NotStarted, if in cannot be sent: it is nil, does not encode, is over
//     [Options].MaxFrame, an envelope has no arm for it or for the reply, or an option does not fit;
//   - Internal, if the reply is of another type or does not decode. Without request ids the first of these ends the connection,
//     as nobody knows then which reply is whose.
//
// A call that failed may be tried again first; see the package's comment. NotStarted is set if no try was started.
func Call[O any, Out Message[O]](ctx context.Context, c *Client, in proto.Message, options ...CallOption) (Out, error) {
	x := exchange{fresh: func() proto.Message { return Out(new(O)) }}
	for _, o := range options {
		if o == nil {
			return nil, refused(messages.InvalidArgument, "an option is nil", nil)
		}
		o(&x)
	}
	reply, err := c.call(ctx, &x, in, Out(nil).ProtoReflect().Descriptor().FullName())
	if err != nil {
		return nil, err
	}
	return reply.(Out), nil
}

// CallOption says how one [Call] is made; they are made by [Arm], [ReplyArm], [Fields] and [Idempotent]. Given twice, the last
// counts. One may be used for many calls at once. A nil one is refused by Call.
type CallOption func(*exchange)

// Idempotent declares that it does no harm if the server serves the request more than once. It is then also tried again
// where it is not known whether it was started; [Options].Retries and the other bounds hold.
func Idempotent() CallOption { return func(x *exchange) { x.idempotent = true } }

// Arm says by its field name in which arm of the request envelope the request goes out. It is needed where several arms
// have its type. A name that no arm of the type has is refused by [Call]; "" is as if it was not given.
func Arm(name string) CallOption { return func(x *exchange) { x.armName = name } }

// ReplyArm says by its field name in which arm of the reply envelope the reply has to come. Without it, any arm of the
// reply's type will do. A name that no arm of the type has is refused by [Call]; "" is as if it was not given.
func ReplyArm(name string) CallOption { return func(x *exchange) { x.replyArmName = name } }

// Fields sets fields of the request envelope that stand outside its oneof, such as a tenant or a trace id: those that are set in
// envelope, which must be of the envelope's type, have no arm and no request id. It cannot be had unframed. What is wrong is
// refused by [Call]. envelope must not be changed while calls with it last; nil is as if it was not given.
func Fields(envelope proto.Message) CallOption { return func(x *exchange) { x.fields = envelope } }

// exchange is a request, ready to be sent any number of times, and what is known of its reply.
type exchange struct {
	arm     *messages.Arm
	inner   []byte // the message, encoded
	outside []byte // the fields outside the oneof, encoded
	size    int    // of the envelope in bytes, without an id

	want  []*messages.Arm      // where the reply may come
	fresh func() proto.Message // makes an empty reply

	idempotent            bool
	armName, replyArmName string
	fields                proto.Message
}

// call fills x in, and has it answered.
func (c *Client) call(ctx context.Context, x *exchange, in proto.Message, out protoreflect.FullName) (proto.Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, gaveUp(err, true)
	}
	if err := c.begin(); err != nil {
		return nil, err
	}
	defer c.done()
	buf := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= keepBuffer {
			buffers.Put(buf)
		}
	}()
	if err := c.wire.prepare(x, in, out, buf); err != nil {
		return nil, err
	}
	return c.try(ctx, x)
}

// buffers are for messages while their calls last.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// prepare finds the arms of a request and encodes it, into *buf.
func (w *wire) prepare(x *exchange, in proto.Message, out protoreflect.FullName, buf *[]byte) (err error) {
	if in == nil || !in.ProtoReflect().IsValid() {
		return refused(messages.InvalidArgument, "the request is nil", nil)
	}
	if x.arm, err = armFor(w.requests, w.requestArms, in.ProtoReflect().Descriptor().FullName(), x.armName, " with Arm"); err != nil {
		return refused(messages.InvalidArgument, err.Error(), nil)
	}
	if err := w.findReply(x, out); err != nil {
		return err
	}
	if x.fields != nil {
		if x.outside, err = w.encodeFields(x.fields); err != nil {
			return refused(messages.InvalidArgument, "Fields: "+err.Error(), nil)
		}
	}
	if *buf, err = (proto.MarshalOptions{}).MarshalAppend((*buf)[:0], in); err != nil {
		return refused(messages.InvalidArgument, "the request does not encode", err)
	}
	x.inner = *buf
	x.size = len(x.outside) + x.arm.Size(len(x.inner))
	if size := x.size + w.room(); size > w.maxFrame {
		return refused(messages.ResourceExhausted, fmt.Sprintf("the request has %d bytes, and the limit is %d bytes", size, w.maxFrame), nil)
	}
	return nil
}

func (w *wire) findReply(x *exchange, out protoreflect.FullName) error {
	if out == errorName {
		return refused(messages.InvalidArgument, "the reply cannot be the error arm", nil)
	}
	if x.want = w.replyArms[out]; x.replyArmName == "" && len(x.want) > 0 {
		return nil
	}
	arm, err := armFor(w.replies, w.replyArms, out, x.replyArmName, "")
	if err != nil {
		return refused(messages.InvalidArgument, err.Error(), nil)
	}
	x.want = []*messages.Arm{arm}
	return nil
}

func (w *wire) encodeFields(m proto.Message) ([]byte, error) {
	r := m.ProtoReflect()
	if string(r.Descriptor().FullName()) != w.requests.Name() {
		return nil, fmt.Errorf("they are in a %s, and the request envelope is %s", r.Descriptor().FullName(), w.requests.Name())
	}
	if w.framing == transport.Unframed {
		return nil, errors.New("there can be none unframed")
	}
	var err error
	r.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if w.requests.Arm(f.Number()) != nil {
			err = fmt.Errorf("arm %s is set", f.Name())
		} else if w.requestID != nil && f.Number() == w.requestID.Number() {
			err = fmt.Errorf("the request id %s is set", f.Name())
		}
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	return proto.Marshal(m)
}
