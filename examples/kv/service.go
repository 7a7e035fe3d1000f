package main

import (
	"context"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/examples/kv/wire"
)

type service = understudy.Service[*wire.Request, *wire.Reply]

func newService(d *database) *service {
	s := understudy.NewService[*wire.Request, *wire.Reply]()
	handle[wire.Get](s, d)
	handle[wire.Put](s, d)
	handle[wire.Delete](s, d)
	handle[wire.Increment](s, d)
	return s
}

// handle has requests of one kind answered by the shard of their key.
//
// With Key, what one connection asks of one key is asked in the order in which it was sent: a get that follows a put in
// the same packet sees it. Without it, several workers would ask at once. Slow, because a worker waits for the shard: no
// goroutine that reads a connection should.
//
// HandleActor, with an actor in front that forwards to the shards, would do without waiting, and keep the order as well, as long
// as all of a key's requests go that way. The example embed shows it.
func handle[I any, In interface {
	understudy.Message[I]
	keyed
}](s *service, d *database) {
	understudy.Handle(s, func(ctx context.Context, in In) (*wire.Entry, error) { return d.ask(ctx, in) },
		understudy.Key(In.GetKey), understudy.Slow())
}
