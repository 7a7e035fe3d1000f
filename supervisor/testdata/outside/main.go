// An outside program that supervises plain Proto.Actor actors with package supervisor, and knows no server.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// counter is a plain actor: it counts what it hears, and fails when it is told to.
type counter struct{ heard int }

func (c *counter) Receive(ctx actor.Context) {
	switch message := ctx.Message().(type) {
	case string:
		c.heard++
		ctx.Respond(fmt.Sprintf("%s is number %d", message, c.heard))
	case error:
		panic(message)
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, nil))
	}))
	events := supervisor.NewHub()
	again := make(chan struct{})
	stop := events.Subscribe(0, func(e supervisor.Event) {
		fmt.Println("event:", e.Kind, e.Path)
		if e.Kind == supervisor.Restarted && e.Path == "outside/front" {
			close(again)
		}
	})
	worker := actor.PropsFromProducer(func() actor.Actor { return new(counter) })
	root, err := supervisor.Spawn(system.Root, supervisor.Spec{
		Name:     "outside",
		Strategy: supervisor.RestForOne,
		Events:   events,
		Children: []supervisor.ChildSpec{
			{Name: "store", Props: worker},
			{Name: "cache", Props: worker},
			{Name: "front", Props: worker},
		},
	})
	if err != nil {
		return err
	}
	if _, err := system.Root.RequestFuture(root, supervisor.AwaitStart{}, time.Minute).Result(); err != nil {
		return err
	}
	for _, message := range []any{"one", fmt.Errorf("the cache is corrupt"), "two"} {
		child := system.NewLocalPID("outside/cache")
		if _, fails := message.(error); fails {
			system.Root.Send(child, message)
			continue
		}
		for reply := any(nil); reply == nil; { // while the child is away, nobody answers
			reply, err = system.Root.RequestFuture(child, message, time.Second).Result()
			if err != nil {
				reply = nil
				continue
			}
			fmt.Println("reply:", reply)
		}
	}
	<-again
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := supervisor.StopAndAwait(ctx, system, root); err != nil {
		return err
	}
	stop()
	return nil
}
