package actors

import (
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// A burst's replies, as they are made: one for each request, in order, in b.out. Where a service has no arm for errors the
// first request that has one is where the replies end: nothing can be said in its place, and nothing that came later would
// be told from it.

// reply appends the reply to request k. On an error nothing is appended.
func (b *Burst) reply(e *encoder, k int, arm *messages.Arm, m proto.Message) (err error) {
	if !b.mute {
		b.out, err = e.reply(b.out, b.id(k), arm, m)
	}
	return err
}

// status appends an error in place of the reply to request k.
func (b *Burst) status(e *encoder, k int, s *messages.Status) {
	switch {
	case b.mute:
	case e.table.ErrorArm == nil:
		b.mute, b.said = true, b.answered
	default:
		b.out = e.status(b.out, b.id(k), s)
	}
}

// id returns the id of request k, or 0.
func (b *Burst) id(k int) uint64 {
	if k < len(b.ids) {
		return b.ids[k]
	}
	return 0
}

// wrong returns what is wrong with the id of request k, or nil.
func (b *Burst) wrong(k int) *messages.Status {
	if k < len(b.wrongs) {
		return b.wrongs[k]
	}
	return nil
}

// identify finds the ids of a burst that has just arrived.
func (b *Burst) identify(t *Table) {
	if t.RequestID == nil {
		return
	}
	b.ids = make([]uint64, len(b.frames))
	for k, f := range b.frames {
		b.ids[k] = t.RequestID.Find(b.buf[f.Start:f.End])
	}
}

// claimIDs has the window know the ids of a burst, and refuses the requests that have none, or one that is in flight. The
// caller holds the connection's lock.
func (b *Burst) claimIDs(w *window) {
	if b.ids == nil {
		return
	}
	claimed := make([]uint64, b.size()) // 0 where the id is not this request's to free
	for k, id := range b.ids {
		switch {
		case id == 0:
			b.refuseID(k, &messages.Status{Code: messages.InvalidArgument, Op: "route", Message: "the request has no id", NotStarted: true})
		case !w.claim(id):
			b.refuseID(k, &messages.Status{Code: messages.AlreadyExists, Op: "route", Message: "a request with this id is in flight", NotStarted: true})
		default:
			claimed[k] = id
		}
	}
	b.segment.ids = claimed
}

func (b *Burst) refuseID(k int, s *messages.Status) {
	if b.wrongs == nil {
		b.wrongs = make([]*messages.Status, len(b.ids))
	}
	b.wrongs[k] = s
}
