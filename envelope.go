package understudy

import (
	"context"
	"fmt"

	"github.com/understudy-go/understudy/actors"
	"google.golang.org/protobuf/proto"
)

// RequestID says by its name which integer field, outside the oneof of Req, carries a request's id. The field of the same
// name and type in Resp repeats it. Replies then leave in any order, each as soon as it is there, and a client tells by the
// id which request it answers.
//
// Any value but 0 is an id. A request without one is answered with INVALID_ARGUMENT, and one with the id of a request that
// has no reply yet with ALREADY_EXISTS and that id; both have not started. Messages that are pushed have no id, and so have
// errors about what cannot be decoded so far. It may be called once, before or after handlers are registered; mistakes are
// reported by [New].
func (s *Service[Req, Resp]) RequestID(field string) {
	if s.table == nil {
		return
	}
	if s.table.RequestID != nil {
		s.fail(fmt.Errorf("service: RequestID is called twice, with %s and %s", s.table.RequestID.Name(), field))
		return
	}
	request, err := s.table.Requests.IDField(field)
	s.fail(err)
	reply, err := s.table.Replies.IDField(field)
	s.fail(err)
	if request == nil || reply == nil {
		return
	}
	if !request.Repeats(reply) {
		s.fail(fmt.Errorf("service: field %s has one type in %s and another in %s", field, s.table.Requests.Name(), s.table.Replies.Name()))
		return
	}
	s.table.RequestID, s.table.ReplyID = request, reply
}

// EnvelopeOf returns the envelope of a request, for its fields outside the oneof: a tenant, a trace, an id. ctx is the
// context that the request's handler got, or was made from it. The oneof may be empty, and the envelope must not be changed.
// It is false if ctx is no such context, if Req is not the request envelope of the service, or if that has no field outside the
// oneof. It may be called on any goroutine. Handlers, [Middleware], and actors, with [ContextOf], may use it; one that is
// [Borrowing] must not keep the envelope.
func EnvelopeOf[Req proto.Message](ctx context.Context) (Req, bool) {
	m, ok := actors.EnvelopeOf(ctx).(Req)
	return m, ok
}
