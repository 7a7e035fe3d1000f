// Command chat is a chat: its own .proto, rooms as actors that the server asks, and messages that the server sends unasked.
// README.md says what to type.
package main

import (
	"bufio"
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
	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/examples/chat/wire"
	"github.com/understudy-go/understudy/supervisor"
)

const usage = `usage: chat [URL]              serve the rooms attic, kitchen and garden, on tcp://127.0.0.1:7072 or URL
       chat join ROOM NAME     say what is typed, a line each, and print what is said`

const address = "tcp://127.0.0.1:7072"

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 0:
		err = serveUntilSignal(address)
	case len(args) == 1:
		err = serveUntilSignal(args[0])
	case len(args) == 3 && args[0] == "join":
		err = join(context.Background(), address, args[1], args[2], os.Stdin, os.Stdout) // a signal just ends it: the server sees that
	default:
		err = errors.New(usage)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func serveUntilSignal(url string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return serve(ctx, url, os.Stdout, slog.Default())
}

// serve serves until ctx ends, or the server does.
func serve(ctx context.Context, url string, out io.Writer, log *slog.Logger) error {
	events := supervisor.NewHub()
	defer events.Subscribe(0, func(e supervisor.Event) {
		if e.Kind == supervisor.Exited && e.Failure != nil {
			log.Warn("a room crashed, and comes back with its members", "room", e.Path, "incident", e.Failure.Incident, "cause", e.Failure.Value)
		}
	})()
	h, err := open(ctx, understudy.Config{Listen: []string{url}, Logger: log, MaxFrame: 2 * maxText}, events, "attic", "kitchen", "garden")
	if err != nil {
		return err
	}
	for _, url := range h.server.URLs() {
		fmt.Fprintln(out, "listening on", url)
	}
	if err = h.server.Wait(ctx); errors.Is(err, context.Canceled) {
		err = nil // as it was told
	}
	end, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	return errors.Join(err, h.close(end))
}

// join joins a room, says there each line of in, and prints what is said there, until in ends. If the connection
// breaks, the client connects again, and joins again.
func join(ctx context.Context, url, room, name string, in io.Reader, out io.Writer) error {
	joined := make(chan error, 1)
	c, err := client.Dial[*wire.Request, *wire.Reply](ctx, url, client.Options{
		Pushes: []client.Push{client.OnPush(func(_ context.Context, m *wire.Spoken) {
			if m.GetMissed() > 0 {
				fmt.Fprintf(out, "(you have missed %d)\n", m.GetMissed())
			}
			fmt.Fprintf(out, "%s: %s\n", m.GetFrom(), m.GetText())
		})},
		OnConnect: func(ctx context.Context, c *client.Client) {
			_, err := client.Call[wire.Joined](ctx, c, &wire.Join{Room: room, Name: name})
			select {
			case joined <- err:
			default: // nobody waits for those after the first
			}
		},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := <-joined; err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if _, err := client.Call[wire.Said](ctx, c, &wire.Say{Room: room, Text: lines.Text()}); err != nil {
			fmt.Fprintln(out, err)
		}
	}
	_, err = client.Call[wire.Left](ctx, c, &wire.Leave{Room: room})
	return err
}
