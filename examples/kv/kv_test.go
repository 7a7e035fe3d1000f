package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/examples/kv/wire"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protodelim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for what must happen. It is longer than a request's deadline, so that a test whose requests only
// end by their deadline fails.
const patience = time.Minute

// start serves as the program does, until the end of the test, and returns the URL.
func start(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	lines := make(lineWriter, 1)
	served := make(chan error, 1)
	go func() { served <- serve(ctx, "tcp://127.0.0.1:0", lines, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	select {
	case line := <-lines:
		return strings.TrimPrefix(strings.TrimSpace(line), "listening on ")
	case <-time.After(patience):
		t.Fatal("it does not listen")
		return ""
	}
}

type lineWriter chan string

func (w lineWriter) Write(line []byte) (int, error) {
	w <- string(line)
	return len(line), nil
}

func dial(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.Dial[*wire.Request, *wire.Reply](t.Context(), url, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func put(ctx context.Context, c *client.Client, key, value string) error {
	_, err := client.Call[wire.Entry](ctx, c, &wire.Put{Key: key, Value: value})
	return err
}

func wantValue(t *testing.T, c *client.Client, key, want string) {
	t.Helper()
	e, err := client.Call[wire.Entry](bounded(t), c, &wire.Get{Key: key})
	if err != nil || e.GetValue() != want {
		t.Errorf("%s: got %v, %v, want %s", key, e, err, want)
	}
}

// As README.md has it.
func TestCommands(t *testing.T) {
	url := start(t)
	for _, c := range []struct{ command, want, err string }{
		{"get colour", "", `NOT_FOUND: there is no "colour"`},
		{"put colour green", "green\n", ""},
		{"get colour", "green\n", ""},
		{"increment colour 1", "", `FAILED_PRECONDITION: the value of "colour" is no number`},
		{"increment visitors 2", "2\n", ""},
		{"increment visitors 9223372036854775806", "", "OUT_OF_RANGE: 2 + 9223372036854775806 does not fit"},
		{"increment visitors -3", "-1\n", ""},
		{"increment visitors -9223372036854775808", "", "OUT_OF_RANGE: -1 + -9223372036854775808 does not fit"},
		{"get poison", "", "INTERNAL: the actor that handles it crashed (incident "},
		{"get colour", "green\n", ""},
		{"delete colour", "green\n", ""},
		{"delete colour", "", "NOT_FOUND"},
		{"put colour", "", "usage: kv"},
	} {
		out := new(bytes.Buffer)
		err := call(bounded(t), url, strings.Fields(c.command), out)
		if out.String() != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got %q, %v; want %q, %q", c.command, out, err, c.want, c.err)
		}
	}
}

// What one connection asks of one key is asked in order, although it all comes at once and several workers ask.
func TestGetSeesThePutBefore(t *testing.T) {
	u, err := transport.ParseURL(start(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial(u.Network, u.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	const rounds = 1000
	out := new(bytes.Buffer)
	for i := range rounds {
		for _, m := range []*wire.Request{
			{Kind: &wire.Request_Put{Put: &wire.Put{Key: "k", Value: fmt.Sprint(i)}}},
			{Kind: &wire.Request_Get{Get: &wire.Get{Key: "k"}}},
		} {
			if _, err := protodelim.MarshalTo(out, m); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := conn.Write(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for i := range 2 * rounds {
		m := new(wire.Reply)
		if err := protodelim.UnmarshalFrom(in, m); err != nil {
			t.Fatal(err)
		}
		if got, want := m.GetEntry().GetValue(), fmt.Sprint(i/2); got != want {
			t.Fatalf("reply %d: got %v, want %s", i, m, want)
		}
	}
}

// No increment is lost and none is done twice, while other clients crash the shards all the time.
func TestIncrementsAmongCrashes(t *testing.T) {
	url := start(t)
	const clients, each, keys = 20, 100, 5
	ctx := bounded(t)
	var wg sync.WaitGroup
	for n := range clients {
		c := dial(t, url)
		wg.Go(func() {
			for i := range each {
				if _, err := client.Call[wire.Entry](ctx, c, &wire.Increment{Key: fmt.Sprint("counter-", i%keys), By: 1}); err != nil {
					t.Errorf("client %d: %v", n, err)
					return
				}
			}
		})
	}
	vandal := dial(t, url)
	wg.Go(func() {
		for range 20 {
			if _, err := client.Call[wire.Entry](ctx, vandal, &wire.Get{Key: poison}); !errors.Is(err, messages.Internal) {
				t.Errorf("got %v", err)
			}
		}
	})
	wg.Wait()
	for k := range keys {
		wantValue(t, vandal, fmt.Sprint("counter-", k), fmt.Sprint(clients*each/keys))
	}
}

// A shard that crashes and has spoilt its values comes back with what it had acknowledged; the client hears of the crash at once,
// with the incident that the log has.
func TestShardComesBackWithItsState(t *testing.T) {
	c := dial(t, start(t))
	const keys = 500 // some in each shard
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			if err := put(bounded(t), c, fmt.Sprint("key-", i), fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := client.Call[wire.Entry](bounded(t), c, &wire.Delete{Key: "key-0"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		err := put(bounded(t), c, poison, "x")
		if status := messages.StatusOf(err); err == nil || status.Code != messages.Internal || status.IncidentID == "" {
			t.Errorf("got %v", err)
		}
	}
	for i := 1; i < keys; i++ {
		wantValue(t, c, fmt.Sprint("key-", i), fmt.Sprint(i))
	}
	if _, err := client.Call[wire.Entry](bounded(t), c, &wire.Get{Key: "key-0"}); !errors.Is(err, messages.NotFound) {
		t.Errorf("what was deleted came back: %v", err)
	}
}

func TestTooLarge(t *testing.T) {
	c := dial(t, start(t))
	if err := put(bounded(t), c, strings.Repeat("k", maxKey), strings.Repeat("v", maxValue)); err != nil {
		t.Error(err)
	}
	if err := put(bounded(t), c, strings.Repeat("k", maxKey+1), ""); !errors.Is(err, messages.InvalidArgument) {
		t.Errorf("got %v", err)
	}
}

// A journal does not grow with what happened, only with what there is.
func TestJournalIsBounded(t *testing.T) {
	j := new(journal)
	for i := range 100 * spareChanges {
		j.append(change{key: fmt.Sprint(i % 10), value: fmt.Sprint(i)})
		j.append(change{key: "gone", value: "x"})
		j.append(change{key: "gone", deleted: true})
		if n := len(j.changes); n > 2*11+spareChanges {
			t.Fatalf("%d changes", n)
		}
	}
	values := j.values()
	if len(values) != 10 {
		t.Errorf("got %v", values)
	}
	for k, v := range values {
		if !strings.HasSuffix(v, k) || len(v) < 6 {
			t.Errorf("%s is %s", k, v)
		}
	}
}
