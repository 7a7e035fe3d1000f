package main

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
)

// This file is the application as it was: two actors and their supervisor. It knows of no server.

// till adds, and counts what it has added.
type till struct{ additions int }

// Receive implements actor.Actor.
func (t *till) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *messages.AddRequest:
		t.onAdd(ctx, m)
	case howMany:
		ctx.Respond(t.additions)
	}
}

// howMany asks a till how many additions it has made.
type howMany struct{}

func (t *till) onAdd(ctx actor.Context, m *messages.AddRequest) {
	sum := int64(m.GetA()) + int64(m.GetB())
	if sum != int64(int32(sum)) {
		ctx.Respond(messages.OutOfRange) // an error is a response too
		return
	}
	t.additions++
	ctx.Respond(&messages.AddResponse{Result: int32(sum)})
}

// clerk says everything back.
func clerk(ctx actor.Context) {
	if m, ok := ctx.Message().(*messages.EchoMessage); ok {
		ctx.Respond(m)
	}
}

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Nanosecond),
	)
}

// app is the application's supervisor. more are children that use the others: they are started after them, and stopped before.
func app(events *supervisor.Hub, more ...supervisor.ChildSpec) supervisor.Spec {
	return supervisor.Spec{
		Name:   "app",
		Events: events,
		Children: append([]supervisor.ChildSpec{
			{Name: "till", Props: actor.PropsFromProducer(func() actor.Actor { return new(till) })},
			{Name: "clerk", Props: actor.PropsFromFunc(clerk)},
		}, more...),
	}
}
