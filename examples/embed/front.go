package main

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
)

// This file is what is new: a server in front of the application's actors, as one more child of the application's supervisor.

// front is the actor that has a server for a child. A server serves once, so each start of the front makes a new one.
type front struct {
	config  understudy.Config
	started chan<- *understudy.Server // is told of each server, if there is room
	ending  bool
}

// newFront declares the front as the last child: it is started when the actors that its server asks are there, and stopped before them.
func newFront(c understudy.Config, started chan<- *understudy.Server) supervisor.ChildSpec {
	return supervisor.ChildSpec{
		Name: "front",
		Props: actor.PropsFromProducer(func() actor.Actor { return &front{config: c, started: started} },
			supervisor.WithCascade(supervisor.Cascade{})), // the application's PoisonPill drains the server
		Shutdown: understudy.DefaultDrain + 5*time.Second, // as long as that may take
	}
}

// Receive implements actor.Actor.
func (f *front) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		f.onStarted(ctx)
	case *actor.Terminated:
		f.onServerEnded(ctx)
	case *actor.Stopping, *actor.Restarting:
		f.ending = true
	}
}

func (f *front) onStarted(ctx actor.Context) {
	app := ctx.Parent().Id
	sibling := func(name string) *actor.PID { return actor.NewPID(ctx.Self().Address, app+"/"+name) }
	service := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.HandleActor[messages.AddRequest](service, sibling("till"))
	understudy.HandleActor[messages.EchoMessage](service, sibling("clerk"))
	c := f.config
	c.Service = service
	server, err := understudy.New(c)
	if err == nil {
		_, err = server.Spawn(ctx, "server")
	}
	if err != nil {
		supervisor.Fail(ctx, err) // the supervisor's business: it ends the application, as it does when any child fails to start
	}
	select {
	case f.started <- server:
	default:
	}
}

// onServerEnded has the supervisor start a new server in place of one that has ended by itself.
func (f *front) onServerEnded(ctx actor.Context) {
	if !f.ending && !supervisor.Draining(ctx) {
		supervisor.Fail(ctx, errors.New("the server has ended"))
	}
}
