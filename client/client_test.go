package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// framings are all of them.
var framings = []transport.Framing{transport.Delimited, transport.Length32, transport.Unframed}

func dial(t *testing.T, url string, o client.Options) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// wantStatus checks a call's error.
func wantStatus(t *testing.T, err error, code messages.Code, notStarted bool) {
	t.Helper()
	s, ok := err.(*messages.Status)
	if !ok || s.Code != code || s.NotStarted != notStarted {
		t.Errorf("error %#v %v, want a *messages.Status of %v, not started: %t", err, err, code, notStarted)
	} else if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is more than a line: %q", err)
	}
}

func TestEchoAndAdd(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, framing := range framings {
			t.Run(network+" "+framing.Name(), func(t *testing.T) {
				c := dial(t, serve(t, network, framing, answerAll), client.Options{})
				for _, text := range []string{"", "a", "Grüße, 世界", strings.Repeat("x", 3<<20)} {
					if got, err := c.Echo(t.Context(), text); err != nil || got != text {
						t.Errorf("Echo of %d bytes: %d bytes, %v", len(text), len(got), err)
					}
				}
				for _, add := range [][3]int32{{0, 0, 0}, {1, 2, 3}, {-5, 2, -3}, {math.MaxInt32, math.MinInt32, -1}} {
					if got, err := c.Add(t.Context(), add[0], add[1]); err != nil || got != add[2] {
						t.Errorf("Add(%d, %d) = %d, %v; want %d", add[0], add[1], got, err, add[2])
					}
				}
				_, err := c.Add(t.Context(), math.MaxInt32, 1)
				wantStatus(t, err, messages.OutOfRange, false)
				if got, err := c.Echo(t.Context(), "after the error"); err != nil || got != "after the error" {
					t.Errorf("after an error: %q, %v", got, err)
				}
			})
		}
	}
}

func TestRepliesFindTheirCalls(t *testing.T) {
	for _, framing := range framings {
		t.Run(framing.Name(), func(t *testing.T) {
			c := dial(t, serve(t, "tcp", framing, answerAll), client.Options{})
			var wg sync.WaitGroup
			for g := range 32 {
				wg.Go(func() {
					for i := range 200 {
						if i%2 == 0 {
							text := fmt.Sprintf("%d of %d %s", i, g, strings.Repeat("-", i))
							if got, err := c.Echo(t.Context(), text); err != nil || got != text {
								t.Errorf("Echo(%q) = %q, %v", text, got, err)
							}
						} else if got, err := c.Add(t.Context(), int32(g), int32(i)); err != nil || int(got) != g+i {
							t.Errorf("Add(%d, %d) = %d, %v", g, i, got, err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// echoes starts n echoes at once; wait returns their errors by number. The server may not have them yet.
func echoes(ctx context.Context, c *client.Client, n int) (wait func() []error) {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			text := strconv.Itoa(i)
			got, err := c.Echo(ctx, text)
			if err == nil && got != text {
				err = fmt.Errorf("got %q for %q", got, text)
			}
			errs[i] = err
		})
	}
	return func() []error { wg.Wait(); return errs }
}

func TestCallsArePipelined(t *testing.T) {
	const n = 100
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		var replies []byte
		for range n { // no reply before every request is there
			replies = append(replies, p.answer(p.request())...)
		}
		p.write(replies)
		p.drain()
	}), client.Options{})
	for i, err := range echoes(t.Context(), c, n)() {
		if err != nil {
			t.Errorf("echo %d: %v", i, err)
		}
	}
}

func TestRepliesInPieces(t *testing.T) {
	for _, framing := range framings {
		t.Run(framing.Name(), func(t *testing.T) {
			c := dial(t, serve(t, "tcp", framing, func(p *peer) {
				var replies []byte
				for range 10 {
					replies = append(replies, p.answer(p.request())...)
				}
				for piece := range slices.Chunk(replies, 1) {
					p.write(piece)
				}
				p.drain()
			}), client.Options{})
			for i, err := range echoes(t.Context(), c, 10)() {
				if err != nil {
					t.Errorf("echo %d: %v", i, err)
				}
			}
		})
	}
}

func TestErrorReply(t *testing.T) {
	want := messages.Status{
		Code: messages.ResourceExhausted, Message: "full", IncidentID: "i-1", RetryAfter: 20 * time.Millisecond, NotStarted: true,
	}
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.request()
		p.write(p.frame(failure(&want)))
		answerAll(p)
	}), client.Options{})
	_, err := c.Echo(t.Context(), "first")
	if got, ok := errors.AsType[*messages.Status](err); !ok || *got != want {
		t.Errorf("error %v, want %v", err, &want)
	}
	if got, err := c.Echo(t.Context(), "second"); err != nil || got != "second" {
		t.Errorf("Echo = %q, %v", got, err)
	}
}

func TestContextEndsTheWaitOnly(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		late := p.answer(p.request())
		close(arrived)
		<-release
		p.write(late)
		answerAll(p)
	}), client.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := c.Echo(ctx, "abandoned")
	wantStatus(t, err, messages.Canceled, false)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
	_, err = c.Echo(ctx, "never sent")
	wantStatus(t, err, messages.Canceled, true)

	expired, stop := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer stop()
	_, err = c.Echo(expired, "never sent")
	wantStatus(t, err, messages.DeadlineExceeded, true)

	close(release)
	if got, err := c.Echo(t.Context(), "kept"); err != nil || got != "kept" {
		t.Errorf("after an abandoned call: %q, %v", got, err)
	}
}

func TestServerClosesMidway(t *testing.T) {
	const n, answered = 10, 3
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		var replies []byte
		for i := range n {
			if m := p.request(); i < answered {
				replies = append(replies, p.answer(m)...)
			}
		}
		p.write(append(replies, 200)) // and the start of one more
	}), client.Options{})
	ok := 0
	for _, err := range echoes(t.Context(), c, n)() {
		if err == nil {
			ok++
			continue
		}
		wantStatus(t, err, messages.Unavailable, false)
	}
	if ok != answered {
		t.Errorf("%d echoes were answered, want %d", ok, answered)
	}
	for range client.MaxInFlight + 1 {
		_, err := c.Echo(t.Context(), "too late")
		wantStatus(t, err, messages.Unavailable, true)
	}
}

func TestServerResets(t *testing.T) {
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.request()
		if err := p.conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Error(err)
		}
	}), client.Options{})
	_, err := c.Echo(t.Context(), "x")
	wantStatus(t, err, messages.Unavailable, false)
}

func TestCloseEndsCalls(t *testing.T) {
	arrived := make(chan struct{})
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		for range 5 {
			p.request()
		}
		close(arrived)
		p.drain()
	}), client.Options{})
	wait := echoes(t.Context(), c, 5)
	<-arrived
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	for _, err := range wait() {
		wantStatus(t, err, messages.Unavailable, false)
	}
	_, err := c.Echo(t.Context(), "x")
	wantStatus(t, err, messages.Unavailable, true)
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v does not say that it was closed on this side", err)
	}
}

func TestCloseWaitsForItsGoroutines(t *testing.T) {
	url := serve(t, "tcp", transport.Delimited, answerAll)
	for range 100 {
		c := dial(t, url, client.Options{})
		c.Close()
		var stacks bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(stacks.String(), "client.(*Client)") {
			t.Fatalf("after Close:\n%s", &stacks)
		}
	}
}

func TestUnsentCallsAreNotStarted(t *testing.T) {
	arrived, held := make(chan struct{}), make(chan struct{})
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		if _, err := p.in.ReadByte(); err != nil {
			t.Error(err)
		}
		close(arrived)
		<-held
	}), client.Options{MaxFrame: 64 << 20})
	defer close(held)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := c.Echo(t.Context(), strings.Repeat("x", 60<<20)) // more than the sockets hold: the writer is stuck in it
		wantStatus(t, err, messages.Unavailable, false)
	})
	<-arrived
	var calling sync.WaitGroup
	for range 20 {
		calling.Add(1)
		wg.Go(func() {
			calling.Done()
			_, err := c.Echo(t.Context(), "behind it")
			wantStatus(t, err, messages.Unavailable, true)
		})
	}
	calling.Wait()
	c.Close()
	wg.Wait()
}

func TestInFlightIsBounded(t *testing.T) {
	full, release := make(chan struct{}), make(chan struct{})
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		var replies []byte
		for range client.MaxInFlight {
			replies = append(replies, p.answer(p.request())...)
		}
		close(full)
		<-release
		p.write(replies)
		answerAll(p)
	}), client.Options{})
	wait := echoes(t.Context(), c, client.MaxInFlight)
	<-full
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := c.Echo(ctx, "one too many")
	wantStatus(t, err, messages.DeadlineExceeded, true)
	close(release)
	for i, err := range wait() {
		if err != nil {
			t.Errorf("echo %d: %v", i, err)
		}
	}
	if got, err := c.Echo(t.Context(), "again"); err != nil || got != "again" {
		t.Errorf("Echo = %q, %v", got, err)
	}
}

func TestRequestsThatCannotBeSent(t *testing.T) {
	unknown := &messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{}}
	unknown.ProtoReflect().SetUnknown([]byte{0x98, 0x06, 1}) // field 99, varint 1
	for _, framing := range framings {
		t.Run(framing.Name(), func(t *testing.T) {
			c := dial(t, serve(t, "tcp", framing, answerAll), client.Options{MaxFrame: 100})
			_, err := c.Call(t.Context(), nil)
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = c.Call(t.Context(), &messages.ClientMessage{})
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = c.Echo(t.Context(), "\xff")
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = c.Echo(t.Context(), strings.Repeat("x", 100))
			wantStatus(t, err, messages.ResourceExhausted, true)
			if framing == transport.Unframed {
				_, err = c.Call(t.Context(), unknown)
				wantStatus(t, err, messages.InvalidArgument, true)
			} else if _, err = c.Call(t.Context(), unknown); err != nil {
				t.Errorf("a request with an unknown field: %v", err)
			}
			if got, err := c.Echo(t.Context(), "fine"); err != nil || got != "fine" {
				t.Errorf("after requests that were refused: %q, %v", got, err)
			}
		})
	}
}

func TestRepliesThatCannotBeUsed(t *testing.T) {
	frame := func(payload string) []byte {
		return append(transport.Delimited.AppendHeader(nil, len(payload)), payload...)
	}
	for _, c := range []struct {
		name  string
		reply []byte
		code  messages.Code
		says  string
		after error // of the next call
	}{
		{"not protobuf", frame("\xff\xff"), messages.Internal, "does not decode", nil},
		{"empty", frame(""), messages.Internal, "no known arm", nil},
		{"unknown arm", frame("\x22\x00"), messages.Internal, "no known arm", nil},
		{"another kind", frame("\x12\x00"), messages.Internal, "another kind", nil},
		{"over the limit", frame(strings.Repeat("x", 101)), messages.Unavailable, "101 bytes", messages.ResourceExhausted},
		{"no frame", []byte(strings.Repeat("\xff", 11)), messages.Unavailable, "varint", messages.InvalidArgument},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
				p.request()
				p.write(c.reply)
				answerAll(p)
			}), client.Options{MaxFrame: 100})
			_, err := client.Echo(t.Context(), "x")
			wantStatus(t, err, c.code, false)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %q does not say %q", err, c.says)
			}
			got, err := client.Echo(t.Context(), "y")
			if c.after == nil {
				if err != nil || got != "y" {
					t.Errorf("the next echo: %q, %v", got, err)
				}
				return
			}
			wantStatus(t, err, messages.Unavailable, true)
			if !errors.Is(err, c.after) {
				t.Errorf("the next echo: %v, want %v as its cause", err, c.after)
			}
		})
	}
}

func TestAddRefusesAnEcho(t *testing.T) {
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.request()
		p.write([]byte{2, 0x0a, 0})
		p.drain()
	}), client.Options{})
	_, err := c.Add(t.Context(), 1, 2)
	wantStatus(t, err, messages.Internal, false)
}

// TestUnaskedReply sees a server that refuses a connection as such.
func TestUnaskedReply(t *testing.T) {
	refused := &messages.Status{Code: messages.ResourceExhausted, Message: "too many connections"}
	sent := make(chan struct{})
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.write(p.frame(failure(refused)))
		p.drain() // until the client hangs up
		close(sent)
	}), client.Options{})
	<-sent
	_, err := c.Echo(t.Context(), "x")
	wantStatus(t, err, messages.Unavailable, true)
	if !errors.Is(err, messages.ResourceExhausted) || !strings.Contains(err.Error(), "too many connections") {
		t.Errorf("error %v does not say why", err)
	}
}
