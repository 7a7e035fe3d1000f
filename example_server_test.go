package understudy_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/understudy-go/understudy"
	pb "github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// Serve returns when its context has ended and what has arrived is answered. signal.NotifyContext makes a context that ends when the
// process is told to.
func ExampleServer_Serve() {
	service := understudy.EchoAdd()
	serve := func(ctx context.Context) error {
		server, err := understudy.New(understudy.Config{
			Service: service,
			Listen:  []string{"tcp://127.0.0.1:0"}, // a free port, which URLs tells
		})
		if err != nil {
			return err
		}
		return server.Serve(ctx)
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer stop()
	fmt.Println(serve(ctx))
	// Output: <nil>
}

// The report of a drain: what was answered, and whether anything was not.
func ExampleServer_Shutdown() {
	server, err := understudy.New(understudy.Config{Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = server.Serve(context.Background()) }() // Wait and the report say how it ended
	<-server.Ready()
	c := dialed(server.URLs()[0])
	defer c.Close()
	add(c, 2, 40)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // then by force
	defer cancel()
	report, err := server.Shutdown(ctx)
	fmt.Println(report.Counts.Answered, "answered,", report.Counts.Unanswered, "unanswered,", len(report.Leaked), "leaked", err, report.Err())
	// Output:
	// 42 <nil>
	// 1 answered, 0 unanswered, 0 leaked <nil> <nil>
}

// How much there is of each thing, and its bound.
func ExampleServer_Status() {
	server, err := understudy.New(understudy.Config{MaxConnections: 1000, Workers: 4, Routing: understudy.LeastLoaded})
	if err != nil {
		log.Fatal(err)
	}
	status := server.Status()
	fmt.Println(status.Connections.Now, "of", status.Connections.Limit, "connections")
	fmt.Println(status.Pool.Queue.Now, "of", status.Pool.Queue.Limit, "requests wait")
	fmt.Println("routing:", status.Pool.Routing)
	// Output:
	// 0 of 1000 connections
	// 0 of 262144 requests wait
	// routing: least-loaded
}

// Middleware around one handler, which here is decoded by vtprotobuf's code.
func ExampleWith() {
	doubling := func(_ string, next understudy.HandlerFunc) understudy.HandlerFunc {
		return func(ctx context.Context, in proto.Message) (proto.Message, error) {
			out, err := next(ctx, in)
			if sum, ok := out.(*pb.AddResponse); ok {
				out = &pb.AddResponse{Result: 2 * sum.Result}
			}
			return out, err
		}
	}
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	understudy.Handle(service, func(_ context.Context, in *pb.AddRequest) (*pb.AddResponse, error) {
		return &pb.AddResponse{Result: in.A + in.B}, nil
	}, understudy.With(doubling), understudy.UnmarshalVT())
	url, stop := running(service)
	defer stop()
	c := dialed(url)
	defer c.Close()
	add(c, 2, 19)
	// Output: 42 <nil>
}

// The hooks of a connection's beginning and end: what the one sets up, the other takes down.
func ExampleService_OnClosed() {
	service := understudy.EchoAdd()
	gone := make(chan string, 1)
	service.OnOpened(func(s *understudy.Session) { name.Set(s, fmt.Sprint("guest ", s.ID())) })
	service.OnClosed(func(s *understudy.Session) {
		who, _ := name.Get(s)
		gone <- who
	})
	url, stop := running(service)
	defer stop()
	c := dialed(url)
	add(c, 2, 40)
	c.Close()
	fmt.Println(<-gone, "is gone")
	// Output:
	// 42 <nil>
	// guest 1 is gone
}
