package understudy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/actors"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// HandleActor has the requests whose message is an I — give the type, the rest is inferred — handled by an actor of the
// caller's: HandleActor[pb.AddRequest](service, pid). The actor gets the message, decoded and its own, and answers with
// Context.Respond: with a message that has an arm in the replies, or with an error, of which becomes what becomes of a
// handler's. [ContextOf] tells it whose request it is. It may respond at any time, from any of its messages' handlers, by
// keeping the sender; no goroutine and no worker waits meanwhile. A second response is dropped and counted, and so is one
// after the deadline.
//
// A request is answered with DEADLINE_EXCEEDED if there is no response in time, at once with UNAVAILABLE if the actor ends or
// has ended, and with RESOURCE_EXHAUSTED if [Config].Queue requests wait for actors already, or lie in the mailbox of this one
// past their deadlines. An actor that crashes on a request and is restarted does not respond: that request waits for its
// deadline, unless the actor's props have [AnswerFailures].
//
// The goroutine that reads the connection puts the request into the actor's mailbox. One that makes its sender wait, as
// Proto.Actor's bounded ones do, or runs the actor there, as its synchronized dispatcher does, keeps the connection from being
// read, and what was read with the request from being served, for as long.
//
// The requests of one connection reach the actor in their order. They have none with requests that functions handle, whatever
// [Key] those have.
//
// pid may be an actor, or a router of Proto.Actor's. It must live in the system that the server is spawned in, with
// [Server.Spawn]; [Server.Serve], which makes a system of its own, refuses such a service. A server in the same system should
// end before the actors that its service asks.
//
// The options may be [Arm], [ReplyArm], [Deadline] and [UnmarshalVT]. Middleware of [Service.Use] does not stand around an actor; so
// that nobody relies on it, a service with both is refused by [New], unless [Unwrapped] is given. A nil or empty PID is refused,
// too.
func HandleActor[I any, Req, Resp proto.Message, In Message[I]](s *Service[Req, Resp], pid *actor.PID, options ...HandlerOption) {
	if s.table == nil {
		return
	}
	handler := &actors.Handler{Decode: decode[I, In], Actor: pid}
	if pid == nil {
		handler.Actor = &actor.PID{} // so that check finds it
	}
	r := &registration{handler: handler, in: In(nil)}
	s.register(r, In(new(I)), nil, options)
	setDecoding[I, In](r, nil)
}

// ContextOf returns the context of the request that an actor is handling: the one that a handler would have got, with the
// deadline, [SessionOf] and [EnvelopeOf], and which ends when the request is answered. ctx is that of an actor that
// [HandleActor] asks, or that one has forwarded the request to with Context.Forward; it is to be called on that actor's
// goroutine, before it responds. What it returns may be kept. It is false for a message that is no request, and for one that
// nobody waits for any more: one that is answered already, as it was too late, or whose connection has gone.
func ContextOf(ctx actor.Context) (context.Context, bool) {
	c := actors.AskContext(ctx.ActorSystem(), ctx.Sender())
	return c, c != nil
}

func decode[I any, In Message[I]](inner []byte) (proto.Message, error) {
	in := In(new(I))
	return in, messages.Unmarshal(inner, in)
}

// Unwrapped says that this actor is asked without the middleware of [Service.Use]. It is for [HandleActor] only; a function with
// it is refused by [New]. Without middleware it changes nothing.
func Unwrapped() HandlerOption {
	return handlerOption(func(r *registration) error {
		r.unwrapped = true
		return nil
	})
}

// check reports what does not go together.
func (r *registration) check() error {
	h := r.handler
	if h.Actor == nil {
		switch {
		case r.unwrapped:
			return errors.New("Unwrapped is for actors")
		case h.Take == nil:
			return errors.New("the handler is nil")
		}
		return nil
	}
	var wrong []string
	for option, given := range map[string]bool{"Borrowing": r.borrowing, "Key": h.Key != nil, "Slow": h.Slow, "Idempotent": h.Idempotent, "With": len(r.wraps) > 0} {
		if given {
			wrong = append(wrong, option)
		}
	}
	slices.Sort(wrong)
	switch {
	case h.Actor.Id == "":
		return errors.New("the PID is nil or empty")
	case len(wrong) > 0:
		return fmt.Errorf("%s is not for actors", strings.Join(wrong, ", "))
	}
	return nil
}

// findReply finds the arm in which replies go out: by their type, or, if it is not known, by its name.
func (r *registration) findReply(e *messages.Envelope, out proto.Message) (*messages.Arm, error) {
	if out != nil {
		return armOf(e, out, r.replyArm, "ReplyArm")
	}
	for _, a := range e.Arms() {
		if a.Name == r.replyArm {
			return a, nil
		}
	}
	return nil, fmt.Errorf("envelope %s has no arm %s", e.Name(), r.replyArm)
}
