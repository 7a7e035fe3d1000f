package client_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/client/internal/wire"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// nobody returns the URL of an address where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "tcp://" + l.Addr().String()
}

func TestDialError(t *testing.T) {
	url := nobody(t)
	_, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](t.Context(), url, client.Options{})
	dialErr, ok := errors.AsType[*client.DialError](err)
	if !ok || dialErr.URL != url || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("error %#v, want a *DialError of %s for a refused connection", err, url)
	}
	if got, want := err.Error(), "cannot reach "+url+": connect: connection refused"; got != want {
		t.Errorf("it reads %q, want %q", got, want)
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client.Dial[*messages.ClientMessage, *messages.ServerMessage](cancelled, url, client.Options{})
	if _, ok := errors.AsType[*client.DialError](err); !ok || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v with a cancelled context", err)
	}

	_, err = client.Dial[*messages.ClientMessage, *messages.ServerMessage](t.Context(), "unix:///no/such/socket", client.Options{})
	if _, ok := errors.AsType[*client.DialError](err); !ok || !errors.Is(err, syscall.ENOENT) {
		t.Errorf("error %v for no socket", err)
	}
}

func TestDialTimeout(t *testing.T) {
	_, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](t.Context(), nobody(t), client.Options{DialTimeout: time.Nanosecond})
	if dialErr, ok := errors.AsType[*client.DialError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want a *DialError for a time-out", dialErr)
	}
}

func TestDialIgnoresTheContextAfterwards(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](ctx, serve(t, "tcp", transport.Delimited, answerAll), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if _, err := echo(t.Context(), c, "x"); err != nil {
		t.Error(err)
	}
}

func TestDialRefusesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		url  string
		o    client.Options
		want string
	}{
		{"127.0.0.1:7070", client.Options{}, `url "127.0.0.1:7070"`},
		{"tcp://127.0.0.1:7070?framing=morse", client.Options{}, "morse"},
		{"tcp://127.0.0.1:7070", client.Options{DialTimeout: -1}, "client: DialTimeout is -1ns, and must not be below 0"},
		{"tcp://127.0.0.1:7070", client.Options{MaxFrame: -1}, "client: MaxFrame is -1, and must be from 0 to 2147483647"},
		{"tcp://127.0.0.1:7070", client.Options{MaxFrame: 1 << 31}, "client: MaxFrame is 2147483648, and must be from 0 to 2147483647"},
		{"tcp://127.0.0.1:7070", client.Options{Connections: 1025}, "client: Connections is 1025, and must be from 0 to 1024"},
		{"tcp://127.0.0.1:7070", client.Options{InFlight: -1}, "client: InFlight is -1, and must be from 0 to 65536"},
		{"tcp://127.0.0.1:7070", client.Options{PushQueue: -1}, "client: PushQueue is -1, and must be from 0 to 65536"},
		{"tcp://127.0.0.1:7070", client.Options{PushStall: -1}, "client: PushStall is -1ns, and must not be below 0"},
		{"tcp://127.0.0.1:7070", client.Options{Backoff: -1}, "client: Backoff is -1ns, and must not be below 0"},
		{"tcp://127.0.0.1:7070", client.Options{Backoff: 2, MaxBackoff: 1}, "client: MaxBackoff is 1ns, and must not be below Backoff, 2ns"},
	} {
		_, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](t.Context(), c.url, c.o)
		if _, ok := errors.AsType[*client.DialError](err); ok || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Dial(%q, %+v): %v, want %q and no *DialError", c.url, c.o, err, c.want)
		}
	}
}

// Envelopes and what the options say of them are looked at before anything is connected: all mistakes at once.
func TestDialRefusesEnvelopes(t *testing.T) {
	note := func(arm ...string) client.Push { return client.OnPush(func(context.Context, *wire.Note) {}, arm...) }
	for want, err := range map[string]error{
		"clienttest.v1.Ask: has no oneof":             dialOnly[*wire.Ask, *wire.Reply]("", client.Options{}),
		"the request envelope is an interface":        dialOnly[proto.Message, *wire.Reply]("", client.Options{}),
		"has no field serial outside the oneof":       dialOnly[*wire.Request, *wire.Reply]("", client.Options{RequestID: "serial"}),
		"field tenant is a string":                    dialOnly[*wire.Request, *wire.Reply]("", client.Options{RequestID: "tenant"}),
		"clienttest.v1.Mute":                          dialOnly[*wire.Request, *wire.Mute]("", client.Options{RequestID: "id"}),
		"cannot be had unframed":                      dialOnly[*wire.Request, *wire.Reply]("?framing=unframed", client.Options{RequestID: "id"}),
		"has no arm of type clienttest.v1.Note":       dialOnly[*wire.Request, *wire.Mute]("", client.Options{Pushes: []client.Push{note()}}),
		"has no arm alarm of type clienttest.v1.Note": dialOnly[*wire.Request, *wire.Reply]("", client.Options{Pushes: []client.Push{note("alarm")}}),
		"arm note has two handlers":                   dialOnly[*wire.Request, *wire.Reply]("", client.Options{Pushes: []client.Push{note(), note("note")}}),
		"has more than one arm":                       dialOnly[*wire.Request, *wire.Reply]("", client.Options{Pushes: []client.Push{note("note", "alarm")}}),
		"the arms alarm and all_clear": dialOnly[*wire.Request, *wire.Reply]("", client.Options{
			Pushes: []client.Push{client.OnPush(func(context.Context, *wire.Alarm) {})},
		}),
		"arm error is the error arm": dialOnly[*wire.Request, *wire.Reply]("", client.Options{
			Pushes: []client.Push{client.OnPush(func(context.Context, *messages.Error) {})},
		}),
		"the handler of clienttest.v1.Note is nil": dialOnly[*wire.Request, *wire.Reply]("", client.Options{
			Pushes: []client.Push{client.OnPush[wire.Note](nil)},
		}),
		"the push of place 0": dialOnly[*wire.Request, *wire.Reply]("", client.Options{Pushes: []client.Push{{}}}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "client: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// dialOnly returns what Dial says of a server that is not there.
func dialOnly[Req, Resp proto.Message](query string, o client.Options) error {
	o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	_, err := client.Dial[Req, Resp](context.Background(), "tcp://127.0.0.1:1"+query, o)
	return err
}

func TestDialWithoutAConnection(t *testing.T) {
	err := dialOnly[*wire.Request, *wire.Reply]("", client.Options{})
	if _, ok := errors.AsType[*client.DialError](err); !ok || !strings.Contains(err.Error(), "Options.Dial returned no connection") {
		t.Error(err)
	}
}
