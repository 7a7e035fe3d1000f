// Command hello is the README's first service of one's own: go run ./examples/hello, and then go run ./examples/hello/greet Ann.
package main

import (
	"context"
	"log"
	"os/signal"
	"syscall"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"

	"github.com/understudy-go/understudy/examples/hello/pb"
)

func main() {
	service := understudy.NewService[*pb.Request, *pb.Reply]()
	understudy.Handle(service, func(_ context.Context, in *pb.Greet) (*pb.Greeting, error) {
		if in.GetName() == "" {
			return nil, messages.InvalidArgument
		}
		return &pb.Greeting{Text: "Hello, " + in.GetName() + "!"}, nil
	})
	server, err := understudy.New(understudy.Config{Service: service})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := server.Serve(ctx); err != nil {
		log.Fatal(err)
	}
}
