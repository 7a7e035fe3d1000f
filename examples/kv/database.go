package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/examples/kv/wire"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
)

// database is an actor system whose shards a supervisor restarts.
type database struct {
	system     *actor.ActorSystem
	supervisor *actor.PID
	shards     []*actor.PID // a restart keeps the PID and what waits in the mailbox
}

// open starts a database of n shards, and returns when all of them have started. events may be nil.
func open(ctx context.Context, n int, events *supervisor.Hub) (*database, error) {
	spec := supervisor.Spec{
		Name:   "shards",
		Events: events,
		// A shard fails by what clients ask of it, and no client shall end the database: any number of restarts is right. What keeps
		// a storm of them cheap is each shard's Backoff.
		Budget: supervisor.Budget{Intensity: -1, Period: time.Second},
	}
	for i := range n {
		kept := new(journal) // outside of the actor: it survives it
		spec.Children = append(spec.Children, supervisor.ChildSpec{
			Name: fmt.Sprintf("shard-%d", i+1),
			Props: actor.PropsFromProducer(func() actor.Actor { return &shard{journal: kept} },
				understudy.AnswerFailures()), // or whoever asked would wait for its deadline
			Backoff: supervisor.Backoff{Min: time.Millisecond, Max: 50 * time.Millisecond, Healthy: time.Second},
		})
	}
	// The library's own log stays quiet: events tells more.
	d := &database{system: actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Nanosecond), // nor does it keep a goroutine for that log
	)}
	var err error
	if d.supervisor, err = supervisor.SpawnAndAwait(ctx, d.system.Root, spec); err != nil {
		return nil, err
	}
	children, err := request(ctx, d, d.supervisor, supervisor.GetChildren{})
	if err != nil {
		return nil, err
	}
	for _, child := range children.(supervisor.Children).List {
		d.shards = append(d.shards, child.PID)
	}
	return d, nil
}

// close ends the database: every shard handles what is in its mailbox first.
func (d *database) close(ctx context.Context) error {
	defer d.system.Shutdown()
	return supervisor.PoisonAndAwait(ctx, d.system, d.supervisor)
}

// keyed is a request about one key.
type keyed interface{ GetKey() string }

// ask has the shard of a request's key answer it, within ctx's deadline.
func (d *database) ask(ctx context.Context, in keyed) (*wire.Entry, error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(in.GetKey())) // never fails
	answer, err := request(ctx, d, d.shards[h.Sum32()%uint32(len(d.shards))], in)
	if err != nil {
		return nil, err
	}
	return answer.(*wire.Entry), nil
}

// request sends an actor a message and waits for its response, until ctx's deadline, or for a minute if it has none. A response
// that is an error is returned as one.
func request(ctx context.Context, d *database, to *actor.PID, m any) (any, error) {
	patience := time.Minute
	if deadline, ok := ctx.Deadline(); ok {
		patience = max(time.Until(deadline), 0) // below 0 a future waits for ever
	}
	answer, err := d.system.Root.RequestFuture(to, m, patience).Result()
	switch {
	case errors.Is(err, actor.ErrTimeout):
		return nil, context.DeadlineExceeded
	case errors.Is(err, actor.ErrDeadLetter):
		return nil, &messages.Status{Code: messages.Unavailable, Message: "the database is closed", Cause: err, NotStarted: true}
	case err != nil:
		return nil, err
	}
	if failed, ok := answer.(error); ok {
		return nil, failed
	}
	return answer, nil
}
