package main

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/examples/chat/wire"
	"github.com/understudy-go/understudy/messages"
)

// What a room takes.
const (
	maxMembers = 10_000
	maxName    = 64 // bytes
	maxText    = 4 << 10
)

// crash is what a member says to make the room's actor crash.
const crash = "/crash"

// room is the actor that a room is. Members who say something in the same room do so one after the other, in its mailbox: all hear
// the same in the same order.
type room struct {
	name    string
	members roster
}

// gone tells a room that a connection is closed.
type gone struct{ session *understudy.Session }

// Receive implements actor.Actor.
func (r *room) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *wire.Join:
		r.answer(ctx, func(s *understudy.Session) any { return r.onJoin(s, m) })
	case *wire.Say:
		r.answer(ctx, func(s *understudy.Session) any { return r.onSay(s, m) })
	case *wire.Leave:
		r.answer(ctx, r.onLeave)
	case gone:
		delete(r.members, m.session)
	}
}

// answer responds with what on makes of a request: a reply or an error. A request that has been answered already, because it
// waited here for longer than its deadline, is left undone.
func (r *room) answer(ctx actor.Context, on func(*understudy.Session) any) {
	if request, ok := understudy.ContextOf(ctx); ok {
		ctx.Respond(on(understudy.SessionOf(request)))
	}
}

func (r *room) onJoin(s *understudy.Session, m *wire.Join) any {
	switch name := m.GetName(); {
	case name == "" || len(name) > maxName:
		return refuse(messages.InvalidArgument, "the name has %d bytes, and must have from 1 to %d", len(name), maxName)
	case r.members[s] != nil:
		return refuse(messages.AlreadyExists, "you are in %s already, as %s", r.name, r.members[s].name)
	case len(r.members) >= maxMembers:
		return refuse(messages.ResourceExhausted, "%s is full", r.name)
	default:
		r.members[s] = &member{name: name}
	}
	return &wire.Joined{Members: uint32(len(r.members))}
}

func (r *room) onSay(s *understudy.Session, m *wire.Say) any {
	from := r.members[s]
	switch {
	case from == nil:
		return refuse(messages.FailedPrecondition, "you are not in %s", r.name)
	case len(m.GetText()) > maxText:
		return refuse(messages.InvalidArgument, "the text has %d bytes, and may have %d", len(m.GetText()), maxText)
	case m.GetText() == crash:
		panic("somebody said " + crash)
	}
	said := new(wire.Said)
	for session, to := range r.members {
		// TryPush does not wait: who does not read is skipped, and delays nobody. The server closes such a connection in the end
		// (Config.WriteTimeout).
		err := session.TryPush(&wire.Spoken{Room: r.name, From: from.name, Text: m.GetText(), Missed: to.missed})
		switch {
		case err == nil:
			to.missed = 0
			said.Reached++
		case errors.Is(err, messages.ResourceExhausted):
			to.missed++
			said.Skipped++
		}
	}
	return said
}

func (r *room) onLeave(s *understudy.Session) any {
	if r.members[s] == nil {
		return refuse(messages.FailedPrecondition, "you are not in %s", r.name)
	}
	delete(r.members, s)
	return new(wire.Left)
}

func refuse(code messages.Code, format string, args ...any) error {
	return &messages.Status{Code: code, Message: fmt.Sprintf(format, args...)}
}
