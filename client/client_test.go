package client_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// framings are all of them.
var framings = []transport.Framing{transport.Delimited, transport.Length32, transport.Unframed}

// dial connects to a server of the built-in service. Unless o says otherwise, calls are tried once.
func dial(t testing.TB, url string, o client.Options) *client.Client {
	t.Helper()
	if o.Retries == 0 {
		o.Retries = -1
	}
	c, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// echo and add call the built-in service.
func echo(ctx context.Context, c *client.Client, text string, options ...client.CallOption) (string, error) {
	reply, err := client.Call[messages.EchoMessage](ctx, c, &messages.EchoMessage{Content: text}, options...)
	return reply.GetContent(), err
}

func add(ctx context.Context, c *client.Client, a, b int32) (int32, error) {
	reply, err := client.Call[messages.AddResponse](ctx, c, &messages.AddRequest{A: a, B: b})
	return reply.GetResult(), err
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
					if got, err := echo(t.Context(), c, text); err != nil || got != text {
						t.Errorf("Echo of %d bytes: %d bytes, %v", len(text), len(got), err)
					}
				}
				for _, sum := range [][3]int32{{0, 0, 0}, {1, 2, 3}, {-5, 2, -3}, {math.MaxInt32, math.MinInt32, -1}} {
					if got, err := add(t.Context(), c, sum[0], sum[1]); err != nil || got != sum[2] {
						t.Errorf("Add(%d, %d) = %d, %v; want %d", sum[0], sum[1], got, err, sum[2])
					}
				}
				_, err := add(t.Context(), c, math.MaxInt32, 1)
				wantStatus(t, err, messages.OutOfRange, false)
				if got, err := echo(t.Context(), c, "after the error"); err != nil || got != "after the error" {
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
							if got, err := echo(t.Context(), c, text); err != nil || got != text {
								t.Errorf("Echo(%q) = %q, %v", text, got, err)
							}
						} else if got, err := add(t.Context(), c, int32(g), int32(i)); err != nil || int(got) != g+i {
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
			got, err := echo(ctx, c, text)
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
	_, err := echo(t.Context(), c, "first")
	if got, ok := errors.AsType[*messages.Status](err); !ok || *got != want {
		t.Errorf("error %v, want %v", err, &want)
	}
	if got, err := echo(t.Context(), c, "second"); err != nil || got != "second" {
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
	_, err := echo(ctx, c, "abandoned")
	wantStatus(t, err, messages.Canceled, false)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
	_, err = echo(ctx, c, "never sent")
	wantStatus(t, err, messages.Canceled, true)

	expired, stop := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer stop()
	_, err = echo(expired, c, "never sent")
	wantStatus(t, err, messages.DeadlineExceeded, true)

	close(release)
	if got, err := echo(t.Context(), c, "kept"); err != nil || got != "kept" {
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
}

func TestServerResets(t *testing.T) {
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.request()
		if err := p.conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Error(err)
		}
	}), client.Options{})
	_, err := echo(t.Context(), c, "x")
	wantStatus(t, err, messages.Unavailable, false)
}

func TestInFlightIsBounded(t *testing.T) {
	full, release := make(chan struct{}), make(chan struct{})
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		var replies []byte
		for range client.DefaultInFlight {
			replies = append(replies, p.answer(p.request())...)
		}
		close(full)
		<-release
		p.write(replies)
		answerAll(p)
	}), client.Options{})
	wait := echoes(t.Context(), c, client.DefaultInFlight)
	<-full
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := echo(ctx, c, "one too many")
	wantStatus(t, err, messages.DeadlineExceeded, true)
	close(release)
	for i, err := range wait() {
		if err != nil {
			t.Errorf("echo %d: %v", i, err)
		}
	}
	if got, err := echo(t.Context(), c, "again"); err != nil || got != "again" {
		t.Errorf("Echo = %q, %v", got, err)
	}
}

// A server that refuses connections says so in place of the first reply, which may be before the first request. Either way the
// call hears of it, and how long to wait.
func TestRefusedConnection(t *testing.T) {
	refusal := &messages.Status{Code: messages.ResourceExhausted, Message: "too many connections", RetryAfter: time.Second, NotStarted: true}
	refused := make(chan struct{}, 10)
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.write(p.frame(failure(refusal)))
		p.drain() // until the client hangs up
		refused <- struct{}{}
	}), client.Options{})
	<-refused // unasked
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := echo(ctx, c, "x") // at once: the client does as it was told, and does not connect again before the deadline
	wantStatus(t, err, messages.Unavailable, true)
	if !errors.Is(err, messages.ResourceExhausted) || !strings.Contains(err.Error(), "too many connections") {
		t.Errorf("error %v does not say why", err)
	}

	c = dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.request()
		p.write(p.frame(failure(refusal)))
	}), client.Options{})
	_, err = echo(t.Context(), c, "x")
	wantStatus(t, err, messages.ResourceExhausted, true)
	if s := messages.StatusOf(err); s.RetryAfter != time.Second || s.Message != "too many connections" {
		t.Errorf("error %v does not say why", err)
	}
}

// What the server sends before a request is, without ids, no reply to it.
func TestUnaskedReply(t *testing.T) {
	unasked := make(chan struct{})
	var first atomic.Bool
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		if first.CompareAndSwap(false, true) {
			p.write(p.answer(&messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: "no"}}}))
			p.drain()
			close(unasked)
			return
		}
		answerAll(p)
	}), client.Options{})
	<-unasked
	if got, err := echo(t.Context(), c, "x"); err != nil || got != "x" { // on the next connection
		t.Errorf("%q, %v", got, err)
	}
}
