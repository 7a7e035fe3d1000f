// Command minimal is a server of one's own in as few lines as it takes: it echoes in capitals.
package main

import (
	"context"
	"log"
	"os/signal"
	"strings"
	"syscall"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

func main() {
	service := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(service, func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		return &messages.EchoMessage{Content: strings.ToUpper(in.GetContent())}, nil
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
