// Command embed is an application of actors that gets a server: requests go to the actors that were there already, and the
// application's end takes the server along. README.md says what to type.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/supervisor"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, understudy.Config{Logger: slog.Default()}, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// run runs the application until ctx ends, or the application does.
func run(ctx context.Context, c understudy.Config, out io.Writer) error {
	events := supervisor.NewHub()
	defer events.Subscribe(0, func(e supervisor.Event) { fmt.Fprintln(out, e.Kind, e.Path) })()
	system := newSystem()
	defer system.Shutdown()
	started := make(chan *understudy.Server, 1)
	pid, err := supervisor.SpawnAndAwait(ctx, system.Root, app(events, newFront(c, started)))
	if err != nil {
		return err
	}
	server := <-started
	<-server.Ready()
	for _, url := range server.URLs() {
		fmt.Fprintln(out, "listening on", url)
	}

	if supervisor.Await(ctx, system, pid) == nil {
		return errors.New("the application has given up")
	}
	// One pill, and everything ends in order: the server has answered what had arrived before the actors go.
	end, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return errors.Join(supervisor.PoisonAndAwait(end, system, pid), server.Wait(end))
}
