package understudy_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"
	pb "github.com/understudy-go/understudy/messages"
)

// A server for peers that are not trusted: every field that is not named has its default, and the bounds come to so much memory.
func ExampleConfig() {
	config := understudy.Config{
		Listen:         []string{"tcp://127.0.0.1:7070?framing=length32", "unix:///run/adder.sock"},
		MaxConnections: 10_000,
		MaxFrame:       64 << 10,
		Window:         64,
		WindowBytes:    64 << 10,
		ReadBuffer:     16 << 10,
		WriteBuffer:    16 << 10,
		MaxWorkers:     128,
		Workers:        8,
		Deadline:       time.Second,
	}
	fmt.Println(config.Validate())
	fmt.Printf("%d GiB at most\n", config.MemoryCeiling(0)>>30)
	// Output:
	// <nil>
	// 15 GiB at most
}

// With CheckBorrowed a handler that writes to what it has only borrowed is found: in a test, say.
func ExampleConfig_checkBorrowed() {
	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
	understudy.Handle(service, func(_ context.Context, in *pb.EchoMessage) (*pb.EchoMessage, error) {
		in.Content = "hello, " + in.Content // it should have made a reply of its own
		return in, nil
	}, understudy.Borrowing())
	server, err := understudy.New(understudy.Config{Service: service, Listen: []string{"tcp://127.0.0.1:0"}, CheckBorrowed: true})
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = server.Serve(context.Background()) }()
	<-server.Ready()
	c := dialed(server.URLs()[0])
	_, err = client.Call[pb.EchoMessage](context.Background(), c, &pb.EchoMessage{Content: "alice"})
	fmt.Println(errors.Is(err, pb.Internal))
	c.Close()
	_, err = server.Shutdown(context.Background())
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}
