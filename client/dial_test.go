package client_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-go/understudy/client"
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
	_, err := client.Dial(t.Context(), url, client.Options{})
	dialErr, ok := errors.AsType[*client.DialError](err)
	if !ok || dialErr.URL != url || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("error %#v, want a *DialError of %s for a refused connection", err, url)
	}
	if got, want := err.Error(), "cannot reach "+url+": connect: connection refused"; got != want {
		t.Errorf("it reads %q, want %q", got, want)
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client.Dial(cancelled, url, client.Options{})
	if _, ok := errors.AsType[*client.DialError](err); !ok || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v with a cancelled context", err)
	}

	_, err = client.Dial(t.Context(), "unix:///no/such/socket", client.Options{})
	if _, ok := errors.AsType[*client.DialError](err); !ok || !errors.Is(err, syscall.ENOENT) {
		t.Errorf("error %v for no socket", err)
	}
}

func TestDialTimeout(t *testing.T) {
	_, err := client.Dial(t.Context(), nobody(t), client.Options{DialTimeout: time.Nanosecond})
	if dialErr, ok := errors.AsType[*client.DialError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want a *DialError for a time-out", dialErr)
	}
}

func TestDialIgnoresTheContextAfterwards(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, err := client.Dial(ctx, serve(t, "tcp", transport.Delimited, answerAll), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if _, err := c.Echo(t.Context(), "x"); err != nil {
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
	} {
		_, err := client.Dial(t.Context(), c.url, c.o)
		if _, ok := errors.AsType[*client.DialError](err); ok || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Dial(%q, %+v): %v, want %q and no *DialError", c.url, c.o, err, c.want)
		}
	}
}
