package main

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
)

// door is the actor that the server asks. It forwards each request to the room that it names; the sender goes along, so the room
// responds to the client and not to the door. It knows the rooms by PIDs, which restarts keep.
type door struct{ rooms map[string]*actor.PID }

// Receive implements actor.Actor.
func (d *door) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case interface{ GetRoom() string }:
		d.onRequest(ctx, m.GetRoom())
	case gone:
		d.onGone(ctx)
	}
}

func (d *door) onRequest(ctx actor.Context, room string) {
	if pid := d.rooms[room]; pid != nil {
		ctx.Forward(pid)
	} else {
		ctx.Respond(refuse(messages.NotFound, "there is no room %q", room))
	}
}

// onGone tells every room: they are few, and know best who is in them.
func (d *door) onGone(ctx actor.Context) {
	for _, pid := range d.rooms {
		ctx.Forward(pid)
	}
}
