package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/examples/chat/wire"
	"github.com/understudy-go/understudy/supervisor"
)

// house is an actor system with rooms, a door to them, and a server in front.
type house struct {
	system *actor.ActorSystem
	root   *actor.PID
	server *understudy.Server
}

// open builds a house and has its server listen, as c says besides the service. The supervisor's tree is
//
//	house
//	├── ROOM …     one for each name
//	└── door       knows the rooms, and so is started after them
//
// and the server stands beside it. events may be nil.
func open(ctx context.Context, c understudy.Config, events *supervisor.Hub, names ...string) (*house, error) {
	// The library's own log stays quiet: events tells more.
	h := &house{system: actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Nanosecond), // nor does it keep a goroutine for that log
	)}
	spec := supervisor.Spec{
		Name:   "house",
		Events: events,
		// Members make rooms crash, and nobody shall close the house: any number of restarts is right.
		Budget: supervisor.Budget{Intensity: -1, Period: time.Second},
	}
	d := &door{rooms: make(map[string]*actor.PID)}
	for _, name := range names {
		members := make(roster) // outside of the actor: it survives it
		spec.Children = append(spec.Children, supervisor.ChildSpec{
			Name: name,
			Props: actor.PropsFromProducer(func() actor.Actor { return &room{name: name, members: members} },
				understudy.AnswerFailures()), // or who said the wrong thing would wait for the deadline
			Backoff: supervisor.Backoff{Min: time.Millisecond, Max: 50 * time.Millisecond, Healthy: time.Second},
		})
		d.rooms[name] = actor.NewPID(h.system.Address(), spec.Name+"/"+name)
	}
	spec.Children = append(spec.Children, supervisor.ChildSpec{
		Name:  "door",
		Props: actor.PropsFromProducer(func() actor.Actor { return d }),
	})
	var err error
	if h.root, err = supervisor.SpawnAndAwait(ctx, h.system.Root, spec); err != nil {
		return nil, err
	}
	c.Service = newService(h.system, actor.NewPID(h.system.Address(), spec.Name+"/door"))
	if h.server, err = understudy.New(c); err == nil {
		_, err = h.server.Spawn(h.system.Root, "server")
	}
	if err != nil {
		_ = h.close(ctx) // err says more
		return nil, err
	}
	<-h.server.Ready()
	return h, nil
}

// newService has every request go to the door.
func newService(system *actor.ActorSystem, door *actor.PID) *understudy.Service[*wire.Request, *wire.Reply] {
	s := understudy.NewService[*wire.Request, *wire.Reply]()
	understudy.HandleActor[wire.Join](s, door)
	understudy.HandleActor[wire.Say](s, door)
	understudy.HandleActor[wire.Leave](s, door)
	s.OnClosed(func(session *understudy.Session) { system.Root.Send(door, gone{session}) })
	return s
}

// close drains the server, and ends the rooms then: a server has to end before the actors that it asks.
func (h *house) close(ctx context.Context) error {
	defer h.system.Shutdown()
	var err error
	if h.server != nil {
		_, err = h.server.Shutdown(ctx)
	}
	return errors.Join(err, supervisor.PoisonAndAwait(ctx, h.system, h.root))
}
