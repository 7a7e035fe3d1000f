package understudy_test

import (
	"context"
	"fmt"
	"log"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"
	pb "github.com/understudy-go/understudy/messages"
)

// spawned has an actor of a system answer additions, and serves them, until stop is called.
func spawned(system *actor.ActorSystem, adder *actor.PID) (url string, stop func()) {
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	understudy.HandleActor[pb.AddRequest](service, adder)
	server, err := understudy.New(understudy.Config{Service: service, Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := server.Spawn(system.Root, "front"); err != nil {
		log.Fatal(err)
	}
	<-server.Ready()
	return server.URLs()[0], func() {
		if _, err := server.Shutdown(context.Background()); err != nil {
			log.Fatal(err)
		}
		_ = system.Root.StopFuture(adder).Wait()
	}
}

// An actor that knows whose request it handles, and greets whom it sees for the first time.
func ExampleContextOf() {
	system := hostSystem()
	seen := make(map[*understudy.Session]bool)
	url, stop := spawned(system, system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		m, ok := ctx.Message().(*pb.AddRequest)
		if !ok {
			return
		}
		if request, ok := understudy.ContextOf(ctx); ok {
			if session := understudy.SessionOf(request); !seen[session] {
				seen[session] = true
				_ = session.TryPush(&pb.EchoMessage{Content: "welcome"}) // an actor must not wait, as Push may
			}
		}
		ctx.Respond(&pb.AddResponse{Result: m.A + m.B})
	})))
	defer stop()
	pushed := make(chan string, 1)
	c, err := client.Dial[*pb.ClientMessage, *pb.ServerMessage](context.Background(), url, client.Options{
		Pushes: []client.Push{client.OnPush(func(_ context.Context, m *pb.EchoMessage) { pushed <- m.Content })},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	add(c, 2, 40)
	add(c, 2, 41)
	fmt.Println(<-pushed)
	// Output:
	// 42 <nil>
	// 43 <nil>
	// welcome
}

// An actor that crashes: the client hears of it at once, and the actor's supervisor restarts it.
func ExampleAnswerFailures() {
	system := hostSystem()
	url, stop := spawned(system, system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*pb.AddRequest); ok {
			ctx.Respond(&pb.AddResponse{Result: m.A / m.B})
		}
	}, understudy.AnswerFailures())))
	defer stop()
	c := dialed(url)
	defer c.Close()
	_, err := client.Call[pb.AddResponse](context.Background(), c, &pb.AddRequest{A: 84, B: 0})
	fmt.Println(pb.StatusOf(err).Code, pb.StatusOf(err).Message)
	add(c, 84, 2)
	// Output:
	// INTERNAL the actor that handles it crashed
	// 42 <nil>
}

// Middleware does not stand around an actor; who means it so says so.
func ExampleUnwrapped() {
	adder := actor.NewPID("nonhost", "adder")
	logging := func(_ string, next understudy.HandlerFunc) understudy.HandlerFunc { return next }
	for _, options := range [][]understudy.HandlerOption{nil, {understudy.Unwrapped()}} {
		service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
		service.Use(logging)
		understudy.HandleActor[pb.AddRequest](service, adder, options...)
		fmt.Println(understudy.Config{Service: service}.Validate())
	}
	// Output:
	// service: the middleware of Use does not stand around the actor that handles arm add_request; say Unwrapped if that is meant
	// <nil>
}
