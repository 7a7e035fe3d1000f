package main

import "github.com/understudy-go/understudy"

// roster is who is in a room. It is what survives the room's actor: it belongs to the house, and each instance of the actor is given
// the same one. It is right at any moment, as each change of it is one assignment; a connection is a fact that a crashed
// actor cannot have spoilt. Only its room uses it, one instance at a time.
type roster map[*understudy.Session]*member

// member is a connection in a room.
type member struct {
	name   string
	missed uint64 // messages that it was skipped for since the last one that it got
}
