package understudy_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/internal/foreign"
	pb "github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// running serves a service on a free port, for the examples below, until stop is called.
func running(service understudy.Handlers) (url string, stop func()) {
	server, err := understudy.New(understudy.Config{Service: service, Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- server.Serve(ctx) }()
	<-server.Ready()
	return server.URLs()[0], func() {
		cancel()
		if err := <-served; err != nil {
			log.Fatal(err)
		}
	}
}

// dialed connects to a server of the built-in envelopes.
func dialed(url string) *client.Client {
	c, err := client.Dial[*pb.ClientMessage, *pb.ServerMessage](context.Background(), url, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// add calls for a sum.
func add(c *client.Client, a, b int32) {
	sum, err := client.Call[pb.AddResponse](context.Background(), c, &pb.AddRequest{A: a, B: b})
	fmt.Println(sum.GetResult(), err)
}

// A service of any two envelopes, served on a free port and called.
func Example() {
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	understudy.Handle(service, func(_ context.Context, in *pb.AddRequest) (*pb.AddResponse, error) {
		return &pb.AddResponse{Result: in.A + in.B}, nil
	})
	url, stop := running(service)
	defer stop()
	c := dialed(url)
	defer c.Close()
	ctx := context.Background()
	sum, err := client.Call[pb.AddResponse](ctx, c, &pb.AddRequest{A: 2, B: 40})
	fmt.Println(sum.GetResult(), err)
	// Output: 42 <nil>
}

// What a handler returns as an error, a client gets as a code that errors.Is knows. A panic costs its own request.
func ExampleHandle() {
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	understudy.Handle(service, func(_ context.Context, in *pb.AddRequest) (*pb.AddResponse, error) {
		switch {
		case in.B == 0:
			return nil, &pb.Status{Code: pb.FailedPrecondition, Message: "nothing to add"}
		case in.B < 0:
			panic("a bug")
		}
		return &pb.AddResponse{Result: in.A + in.B}, nil
	})
	url, stop := running(service)
	defer stop()
	c := dialed(url)
	defer c.Close()

	_, err := client.Call[pb.AddResponse](context.Background(), c, &pb.AddRequest{A: 1})
	fmt.Println(errors.Is(err, pb.FailedPrecondition), err)
	_, err = client.Call[pb.AddResponse](context.Background(), c, &pb.AddRequest{A: 1, B: -1})
	fmt.Println(errors.Is(err, pb.Internal))
	add(c, 1, 2)
	// Output:
	// true FAILED_PRECONDITION: nothing to add
	// true
	// 3 <nil>
}

// Two arms of one type are told apart by their names.
func ExampleArm() {
	service := understudy.NewService[*foreign.Call, *foreign.Result]()
	understudy.Handle(service, func(_ context.Context, in *foreign.Text) (*foreign.Text, error) {
		return &foreign.Text{Value: strings.ToUpper(in.Value)}, nil
	}, understudy.Arm("upper"), understudy.ReplyArm("upper"))
	understudy.Handle(service, func(_ context.Context, in *foreign.Text) (*foreign.Text, error) {
		return &foreign.Text{Value: strings.ToLower(in.Value)}, nil
	}, understudy.Arm("lower"), understudy.ReplyArm("lower"))
	url, stop := running(service)
	defer stop()

	ctx := context.Background()
	c, err := client.Dial[*foreign.Call, *foreign.Result](ctx, url, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	text, err := client.Call[foreign.Text](ctx, c, &foreign.Text{Value: "Hello"}, client.Arm("lower"))
	fmt.Println(text.GetValue(), err)
	// Output: hello <nil>
}

// With ids a reply leaves as soon as it is there; the other fields of the envelope are for the handlers.
func ExampleService_RequestID() {
	service := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
	service.RequestID("id")
	understudy.Handle(service, func(ctx context.Context, in *foreign.Text) (*foreign.Text, error) {
		envelope, _ := understudy.EnvelopeOf[*foreign.Tagged](ctx)
		return &foreign.Text{Value: envelope.Tenant + " says " + in.Value}, nil
	})
	url, stop := running(service)
	defer stop()

	ctx := context.Background()
	c, err := client.Dial[*foreign.Tagged, *foreign.TaggedResult](ctx, url, client.Options{RequestID: "id"})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	text, err := client.Call[foreign.Text](ctx, c, &foreign.Text{Value: "hello"}, client.Fields(&foreign.Tagged{Tenant: "acme"}))
	fmt.Println(text.GetValue(), err)
	// Output: acme says hello <nil>
}

// A handler that takes too long is told by its context, and its request is answered in any case.
func ExampleDeadline() {
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	understudy.Handle(service, func(ctx context.Context, _ *pb.AddRequest) (*pb.AddResponse, error) {
		<-ctx.Done() // it would wait for ever
		return nil, ctx.Err()
	}, understudy.Deadline(20*time.Millisecond))
	url, stop := running(service)
	defer stop()
	c := dialed(url)
	defer c.Close()
	_, err := client.Call[pb.AddResponse](context.Background(), c, &pb.AddRequest{})
	fmt.Println(errors.Is(err, pb.DeadlineExceeded))
	// Output: true
}

// A handler that may be called twice is, if it crashes.
func ExampleIdempotent() {
	var calls atomic.Int32
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	understudy.Handle(service, func(_ context.Context, in *pb.AddRequest) (*pb.AddResponse, error) {
		if calls.Add(1) == 1 {
			panic("on the first call")
		}
		return &pb.AddResponse{Result: in.A + in.B}, nil
	}, understudy.Idempotent())
	url, stop := running(service)
	defer stop()
	c := dialed(url)
	defer c.Close()
	add(c, 2, 40)
	fmt.Println(calls.Load(), "calls")
	// Output:
	// 42 <nil>
	// 2 calls
}

// Of one key one request at a time is handled, so what belongs to a key needs no lock. Slow keeps the handler off the
// goroutines that read connections.
func ExampleKey() {
	accounts := map[string]*int{"a": new(int), "b": new(int)}
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	understudy.Handle(service, func(_ context.Context, in *pb.EchoMessage) (*pb.EchoMessage, error) {
		account := accounts[in.Content] // nobody else has this one now
		*account++
		return &pb.EchoMessage{Content: fmt.Sprint(in.Content, *account)}, nil
	}, understudy.Key(func(in *pb.EchoMessage) string { return in.Content }), understudy.Slow())
	url, stop := running(service)
	defer stop()
	c := dialed(url)
	defer c.Close()
	for _, name := range []string{"a", "b", "a"} {
		reply, err := client.Call[pb.EchoMessage](context.Background(), c, &pb.EchoMessage{Content: name})
		fmt.Println(reply.GetContent(), err)
	}
	// Output:
	// a1 <nil>
	// b1 <nil>
	// a2 <nil>
}

// A handler that only borrows its message costs no allocation, and must copy what it keeps.
func ExampleBorrowing() {
	last := make(chan string, 1)
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	understudy.Handle(service, func(_ context.Context, in *pb.EchoMessage) (*pb.EchoMessage, error) {
		last <- strings.Clone(in.Content)
		return in, nil // it is encoded before it is used again
	}, understudy.Borrowing())
	url, stop := running(service)
	defer stop()
	c := dialed(url)
	defer c.Close()
	reply, err := client.Call[pb.EchoMessage](context.Background(), c, &pb.EchoMessage{Content: "hello"})
	fmt.Println(reply.GetContent(), err)
	fmt.Println(<-last)
	// Output:
	// hello <nil>
	// hello
}

// Middleware sees every request, by the name of its arm: here one that counts, and one that lets in only who has logged in.
func ExampleService_Use() {
	var requests atomic.Int64
	counting := func(arm string, next understudy.HandlerFunc) understudy.HandlerFunc {
		return func(ctx context.Context, in proto.Message) (proto.Message, error) {
			requests.Add(1)
			return next(ctx, in)
		}
	}
	authorizing := func(arm string, next understudy.HandlerFunc) understudy.HandlerFunc {
		if arm == "echo_message" {
			return next // it is how one logs in, in this example
		}
		return func(ctx context.Context, in proto.Message) (proto.Message, error) {
			if understudy.SessionOf(ctx).Principal() == "" {
				return nil, pb.Unauthenticated
			}
			return next(ctx, in)
		}
	}
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	service.Use(counting, authorizing)
	understudy.Handle(service, func(ctx context.Context, in *pb.EchoMessage) (*pb.EchoMessage, error) {
		understudy.SessionOf(ctx).SetPrincipal(in.Content)
		return in, nil
	})
	understudy.Handle(service, func(_ context.Context, in *pb.AddRequest) (*pb.AddResponse, error) {
		return &pb.AddResponse{Result: in.A + in.B}, nil
	})
	url, stop := running(service)
	defer stop()
	c := dialed(url)
	defer c.Close()
	_, err := client.Call[pb.AddResponse](context.Background(), c, &pb.AddRequest{A: 2, B: 40})
	fmt.Println(errors.Is(err, pb.Unauthenticated))
	if _, err := client.Call[pb.EchoMessage](context.Background(), c, &pb.EchoMessage{Content: "alice"}); err != nil {
		log.Fatal(err)
	}
	add(c, 2, 40)
	fmt.Println(requests.Load(), "requests")
	// Output:
	// true
	// 42 <nil>
	// 3 requests
}

// A server in an actor system that exists, whose actors answer its requests.
func ExampleHandleActor() {
	system := hostSystem()
	adder := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*pb.AddRequest); ok {
			ctx.Respond(&pb.AddResponse{Result: m.A + m.B})
		}
	}))
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
	c := dialed(server.URLs()[0])
	add(c, 2, 40)
	c.Close()

	// The server first, so that the actor answers to the last.
	report, err := server.Shutdown(context.Background())
	fmt.Println(report.Counts.Answered, "answered", err)
	fmt.Println(system.Root.StopFuture(adder).Wait())
	// Output:
	// 42 <nil>
	// 1 answered <nil>
	// <nil>
}

// A server's PID speaks: it says what the server is doing, and a PoisonPill drains it.
func ExampleServer_Spawn() {
	system := hostSystem()
	server, err := understudy.New(understudy.Config{Listen: []string{"tcp://127.0.0.1:0"}, Workers: 4})
	if err != nil {
		log.Fatal(err)
	}
	pid, err := server.Spawn(system.Root, "front")
	if err != nil {
		log.Fatal(err)
	}
	<-server.Ready()
	answer, err := system.Root.RequestFuture(pid, understudy.StatusRequest{}, time.Second).Result()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.(understudy.Status).Pool.MinWorkers, "workers")
	system.Root.Poison(pid)
	fmt.Println(server.Wait(context.Background()))
	// Output:
	// 4 workers
	// <nil>
}

// name is what a session is remembered by.
var name = understudy.NewSessionKey[string]("name")

// A server remembers who is there, and speaks first.
func ExampleSession_Push() {
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	service.OnOpened(func(s *understudy.Session) { name.Set(s, fmt.Sprint("guest ", s.ID())) })
	understudy.Handle(service, func(ctx context.Context, in *pb.AddRequest) (*pb.AddResponse, error) {
		s := understudy.SessionOf(ctx)
		who, _ := name.Get(s)
		if err := s.Push(ctx, &pb.EchoMessage{Content: "hello, " + who}); err != nil {
			return nil, err
		}
		return &pb.AddResponse{Result: in.A + in.B}, nil
	})
	url, stop := running(service)
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
	fmt.Println(<-pushed)
	// Output:
	// 42 <nil>
	// hello, guest 1
}

// Whatever is wrong with a configuration is said at once, each with its field, its value and its bound.
func ExampleConfig_Validate() {
	fmt.Println(understudy.Config{Workers: -1, Listen: []string{"udp://:7070"}}.Validate())
	// Output:
	// config: Workers is -1, and must be from 1 to 4096
	// config: Listen: url "udp://:7070": unknown scheme "udp" (allowed: tcp://host:port and unix:///path, with ?framing=delimited|length32|unframed)
}
