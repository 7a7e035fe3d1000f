// Command kv is a store of strings by key: its own .proto, keyed handlers, and state in actors that crash and come back with it.
// README.md says what to type.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/examples/kv/wire"
	"github.com/understudy-go/understudy/supervisor"
)

const usage = `usage: kv [URL]                        serve, on tcp://127.0.0.1:7071 or URL
       kv get KEY | put KEY VALUE | delete KEY | increment KEY BY`

const address = "tcp://127.0.0.1:7071"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var err error
	switch args := os.Args[1:]; len(args) {
	case 0:
		err = serve(ctx, address, os.Stdout, slog.Default())
	case 1:
		err = serve(ctx, args[0], os.Stdout, slog.Default())
	default:
		err = call(ctx, address, args, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kv:", err)
		stop()
		os.Exit(1)
	}
}

// serve serves until ctx ends.
func serve(ctx context.Context, url string, out io.Writer, log *slog.Logger) error {
	events := supervisor.NewHub()
	defer events.Subscribe(0, func(e supervisor.Event) { note(log, e) })()
	d, err := open(ctx, 8, events)
	if err != nil {
		return err
	}
	server, err := understudy.New(understudy.Config{
		Listen: []string{url}, Service: newService(d), Logger: log, MaxFrame: maxKey + maxValue + 64,
	})
	if err == nil {
		go func() {
			<-server.Ready()
			for _, url := range server.URLs() {
				fmt.Fprintln(out, "listening on", url)
			}
		}()
		err = server.Serve(ctx)
	}
	// Serve has returned, so nobody asks the shards any more.
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(err, d.close(end))
}

// note logs what a supervisor did about a failure.
func note(log *slog.Logger, e supervisor.Event) {
	switch {
	case e.Kind == supervisor.Exited && e.Failure != nil:
		log.Warn("a shard crashed", "shard", e.Path, "incident", e.Failure.Incident, "cause", e.Failure.Value)
	case e.Kind == supervisor.Restarted:
		log.Info("a shard is back", "shard", e.Path, "instance", e.Incarnation)
	}
}

// call makes one request and prints its result.
func call(ctx context.Context, url string, args []string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	// One try: who calls wants to see what the server says.
	c, err := client.Dial[*wire.Request, *wire.Reply](ctx, url, client.Options{Retries: -1})
	if err != nil {
		return err
	}
	defer c.Close()
	var entry *wire.Entry
	switch n := len(args); {
	case args[0] == "get" && n == 2:
		entry, err = client.Call[wire.Entry](ctx, c, &wire.Get{Key: args[1]})
	case args[0] == "put" && n == 3:
		entry, err = client.Call[wire.Entry](ctx, c, &wire.Put{Key: args[1], Value: args[2]})
	case args[0] == "delete" && n == 2:
		entry, err = client.Call[wire.Entry](ctx, c, &wire.Delete{Key: args[1]})
	case args[0] == "increment" && n == 3:
		by, wrong := strconv.ParseInt(args[2], 10, 64)
		if wrong != nil {
			return wrong
		}
		entry, err = client.Call[wire.Entry](ctx, c, &wire.Increment{Key: args[1], By: by})
	default:
		return errors.New(usage)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, entry.GetValue())
	return nil
}
