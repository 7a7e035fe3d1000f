// A program of somebody else: a service with a wire of its own, until its standard input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"example.org/outside/wire"
	"github.com/understudy-go/understudy"
)

func main() {
	service := understudy.NewService[*wire.Call, *wire.Result]()
	understudy.Handle(service, func(_ context.Context, in *wire.Text) (*wire.Text, error) {
		return &wire.Text{Value: strings.ToUpper(in.Value)}, nil
	}, understudy.Arm("upper"), understudy.ReplyArm("upper"))
	server, err := understudy.New(understudy.Config{Listen: []string{"tcp://127.0.0.1:0"}, Service: service})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	go func() {
		<-server.Ready()
		fmt.Println(server.URLs()[0])
	}()
	if err := server.Serve(ctx); err != nil {
		log.Fatal(err)
	}
}
