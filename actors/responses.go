package actors

import (
	"fmt"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"google.golang.org/protobuf/proto"
)

// answer replies to a burst with what an actor has responded: a message of the service, or an error. It does nothing if
// somebody else has answered.
func (a *asks) answer(b *Burst, h *Handler, response any) {
	if !b.takeOver() {
		a.router.late.Add(1)
		return
	}
	e := b.origin.encoder()
	finished := false
	defer func() {
		if !finished { // only a runtime.Goexit gets here
			a.finish(b, e, h, unencodable(h, supervisor.ErrGoexit))
		}
	}()
	s := a.reply(b, e, h, response)
	finished = true
	a.finish(b, e, h, s)
}

// finish completes a burst that the caller has taken over, with the reply that it has, or with an error in its place.
func (a *asks) finish(b *Burst, e *encoder, h *Handler, s *messages.Status) {
	index := int(messages.OK)
	if s != nil {
		if (s.Code == messages.Internal || s.Code == messages.Unknown) && s.IncidentID == "" {
			s = a.incident(h, s)
		}
		b.status(e, 0, s)
		index = codeIndex(s.Code)
	}
	a.codes[index].Add(1)
	b.answered = 1
	b.cursor.Store(b.cursorOf(done, 1))
	b.ctx.end()
	b.origin.complete(b)
}

// reply appends a message, or returns the error that is to go out in its place. What marshals a message is the user's code,
// and the goroutine may be an actor's that is not to fail for it.
func (a *asks) reply(b *Burst, e *encoder, h *Handler, response any) (s *messages.Status) {
	mark := len(b.out)
	defer func() {
		if r := recover(); r != nil {
			b.out = b.out[:mark]
			s = unencodable(h, fmt.Errorf("panic: %v", r))
		}
	}()
	switch m := response.(type) {
	case error:
		return messages.StatusOf(m)
	case proto.Message:
		if !m.ProtoReflect().IsValid() {
			return misfit(h, m)
		}
		arm := h.Reply
		if arm == nil {
			var err error
			if arm, err = a.router.stage.Table.armOf(m); err != nil {
				return misfit(h, m)
			}
		} else if arm.Type.Descriptor() != m.ProtoReflect().Descriptor() {
			return misfit(h, m)
		}
		if err := b.reply(e, 0, arm, m); err != nil {
			return unencodable(h, err)
		}
		return nil
	}
	return misfit(h, response)
}

func unencodable(h *Handler, cause error) *messages.Status {
	return &messages.Status{Code: messages.Internal, Op: h.Name, Message: "the reply does not encode", Cause: cause}
}

// misfit says that an actor has responded with what is no reply.
func misfit(h *Handler, response any) *messages.Status {
	return &messages.Status{
		Code: messages.Internal, Op: h.Name, Message: "the actor's response is no reply of the service",
		Cause: fmt.Errorf("%s responded with %T, which is neither an error nor a message, not nil, with an arm in the replies", h.Actor.Id, response),
	}
}

func (a *asks) incident(h *Handler, s *messages.Status) *messages.Status {
	named := *s
	named.IncidentID = supervisor.NewIncident()
	a.router.stage.Hub.Publish(supervisor.Event{
		Kind: supervisor.Failed, Path: h.Actor.Id, Directive: supervisor.Resume,
		Failure: &supervisor.Failure{Value: s, Message: "a request", Phase: supervisor.PhaseReceive, Incident: named.IncidentID},
	})
	return &named
}

func ended(h *Handler) *messages.Status {
	return &messages.Status{Code: messages.Unavailable, Op: h.Name, Message: "the actor that handles it has ended"}
}
