package client

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/understudy-go/understudy/messages"
)

// Push says who gets the pushes in one arm of the reply envelope. [OnPush] makes one; the zero value is refused by [Dial]. One
// may go into the Options of several Clients.
type Push struct {
	typ    protoreflect.FullName
	arm    string
	fresh  func() proto.Message
	handle func(context.Context, proto.Message)
	err    error
}

// OnPush has handle called with the messages that the server sends unasked in the arm of the reply envelope that has the
// type *I. Of several arms of the type, one has to be named. It goes into [Options].Pushes.
//
// How a push is told from a reply depends on [Options].RequestID:
//   - With request ids, a message whose id is 0 or missing is a push, and one with an id is a reply, whatever its arm. A
//     push for which there is no handler is dropped, and counted. An error without an id is neither: it ends the connection, as
//     nobody knows which request it is about.
//   - Without, a message in an arm with a handler is always a push, and any other is always a reply. So an arm that has a
//     handler can have no replies, and a client must have a handler for every arm in which its server pushes: a push that is
//     taken for a reply ends the connection.
//
// The handlers of one connection are called one at a time, in the order of the messages, on a goroutine that does nothing else;
// those of several connections at the same time. m is the handler's own. While a handler runs, up to [Options].PushQueue messages
// wait; then the connection is not read, replies included, for up to [Options].PushStall. A handler may use the Client. But if it
// waits for replies while pushes keep coming it may be the one that holds them up: a call in a handler should have a deadline.
// ctx ends when the Client is closed. What has arrived by the time that its connection breaks is still delivered; what has not
// been delivered when the Client is closed is dropped, and counted. A panic in a handler is not caught. When the handlers of 16
// connections that have ended have not returned, no further connection is made until one does.
//
// What is wrong — a nil handler, no such arm, two handlers of one — is reported by [Dial].
//
// A Client that has a handler for pushes connects again by itself when its last connection breaks; see [Options].OnConnect.
func OnPush[I any, In Message[I]](handle func(ctx context.Context, m In), arm ...string) Push {
	p := Push{
		typ:    In(nil).ProtoReflect().Descriptor().FullName(),
		fresh:  func() proto.Message { return In(new(I)) },
		handle: func(ctx context.Context, m proto.Message) { handle(ctx, m.(In)) },
	}
	switch {
	case handle == nil:
		p.err = errors.New("OnPush: the handler of " + string(p.typ) + " is nil")
	case len(arm) > 1:
		p.err = errors.New("OnPush: the handler of " + string(p.typ) + " has more than one arm")
	case len(arm) == 1:
		p.arm = arm[0]
	}
	return p
}

// arrived is a push that waits for its handler.
type arrived struct {
	push    *Push
	message proto.Message
}

// isPush tells whether a message answers no request. push is nil if it is one for which there is no handler.
func (w *wire) isPush(m *opened) (push *Push, unasked bool) {
	push = w.pushes[m.arm]
	if w.replyID == nil {
		return push, push != nil
	}
	if m.id != 0 || m.arm == nil && m.err != nil && !errors.Is(m.err, messages.Unimplemented) {
		return nil, false
	}
	return push, m.arm == nil || m.arm.Type.Descriptor().FullName() != errorName
}

// push puts a push in line for its handler. The error is why the connection cannot go on.
func (on *conn) push(p *Push, m *opened) error {
	if !on.pushed {
		on.pushed = true
		on.c.hear(on)
	}
	if p == nil {
		on.c.pushesDropped.Add(1)
		return nil
	}
	message := p.fresh()
	if m.decode(message) != nil {
		on.c.pushesDropped.Add(1)
		return nil
	}
	select {
	case on.arrived <- arrived{p, message}:
		return nil
	default:
	}
	timer := time.NewTimer(on.c.o.PushStall)
	defer timer.Stop()
	select {
	case on.arrived <- arrived{p, message}:
		return nil
	case <-timer.C:
		on.c.pushesDropped.Add(1)
		return stalled(on.c.o.PushStall)
	case <-on.c.ctx.Done():
		on.c.pushesDropped.Add(1)
		return on.c.ctx.Err()
	}
}

// handlerOf is the key under which the context of a handler holds its Client.
type handlerOf struct{}

// attend is the goroutine that calls the handlers, until the reader has ended and everything is delivered.
func (on *conn) attend() {
	defer func() {
		on.c.mu.Lock()
		defer on.c.mu.Unlock()
		on.c.attending--
	}()
	ctx := context.WithValue(on.c.ctx, handlerOf{}, on.c)
	if on.c.o.OnConnect != nil {
		on.c.o.OnConnect(ctx, on.c)
	}
	for a := range on.arrived {
		if ctx.Err() != nil {
			on.c.pushesDropped.Add(1)
			continue
		}
		a.push.handle(ctx, a.message)
		on.c.pushesHandled.Add(1)
	}
}
