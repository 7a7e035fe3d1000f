// Command peer-owning is a server to compare with: Understudy in the hands of an embedder who does nothing for speed.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"syscall"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/bench/peers/owning"
)

func main() {
	listen := flag.String("listen", "tcp://127.0.0.1:0", "listen on this `URL`")
	flag.Parse()
	server, err := understudy.New(understudy.Config{Listen: []string{*listen}, Service: owning.Service()})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		<-server.Ready()
		for _, url := range server.URLs() {
			fmt.Println("listening on", url)
		}
	}()
	if err := server.Serve(ctx); err != nil {
		log.Fatal(err)
	}
}
