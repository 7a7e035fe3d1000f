package client_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/client/internal/wire"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// notebook is a handler that notes down.
type notebook struct {
	mu    sync.Mutex
	notes []string
}

func (b *notebook) add(_ context.Context, m *wire.Note) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, m.GetText())
}

func (b *notebook) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.notes)
}

// Pushes between replies, before them and after them: each side gets its own, in order.
func TestPushesBetweenReplies(t *testing.T) {
	const n = 100
	for _, framing := range framings {
		for _, id := range []string{"", "id"} {
			if id != "" && framing == transport.Unframed {
				continue
			}
			t.Run(framing.Name()+" "+id, func(t *testing.T) {
				var book notebook
				last := make(chan struct{})
				c := dialWire(t, serve(t, "tcp", framing, func(p *peer) {
					p.write(p.frame(note("before")))
					for i := range n {
						m := new(wire.Request)
						p.read(m)
						p.write(append(p.frame(note(fmt.Sprint(i))), p.frame(answer(m.GetId(), said(m)))...))
					}
					p.write(p.frame(&wire.Reply{Kind: &wire.Reply_AllClear{AllClear: &wire.Alarm{}}}))
					p.drain()
				}), client.Options{RequestID: id, Pushes: []client.Push{
					client.OnPush(book.add),
					client.OnPush(func(context.Context, *wire.Alarm) { t.Error("an alarm") }, "alarm"),
					client.OnPush(func(context.Context, *wire.Alarm) { close(last) }, "all_clear"),
				}})
				want := []string{"before"}
				for i := range n {
					if got, err := ask(t.Context(), c, fmt.Sprint(i)); err != nil || got != fmt.Sprint("ask ", i) {
						t.Fatalf("%q, %v", got, err)
					}
					want = append(want, fmt.Sprint(i))
				}
				<-last
				if got := book.all(); !slices.Equal(got, want) {
					t.Errorf("notes %q, want %q", got, want)
				}
				c.Close()
				if got := c.Counts(); got.Pushes != n+2 || got.PushesDropped != 0 {
					t.Errorf("%+v", got)
				}
			})
		}
	}
}

// With request ids the id alone tells: a note with one is a reply although there is a handler for notes, and a push for which there
// is none is counted.
func TestIDTellsPushesFromReplies(t *testing.T) {
	var book notebook
	c := dialWire(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		m := new(wire.Request)
		p.read(m)
		p.write(p.frame(&wire.Reply{Kind: &wire.Reply_Alarm{Alarm: &wire.Alarm{}}})) // no handler
		p.write(p.frame(unknownArm(0)))                                              // nor for what nobody here knows
		p.write(p.frame(&wire.Reply{Kind: &wire.Reply_Note{Note: &wire.Note{Text: "the reply"}}, Id: m.GetId()}))
		answerWire(p)
	}), client.Options{RequestID: "id", Pushes: []client.Push{client.OnPush(book.add)}})
	reply, err := client.Call[wire.Note](t.Context(), c, &wire.Ask{})
	if err != nil || reply.GetText() != "the reply" {
		t.Errorf("%v, %v", reply, err)
	}
	if got := c.Counts(); got.PushesDropped != 2 || got.Pushes != 0 || got.Broken != 0 {
		t.Errorf("%+v", got)
	}
}

// Without ids, a push that is taken for a reply — there is no handler for it — ends the connection before it can give
// replies to the wrong calls.
func TestPushWithoutAHandler(t *testing.T) {
	c := dialWire(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		first, second := new(wire.Request), new(wire.Request)
		p.read(first)
		p.read(second)
		p.write(slices.Concat(p.frame(note("x")), p.frame(answer(0, said(first))), p.frame(answer(0, said(second)))))
		p.drain()
	}), client.Options{})
	errs := make(chan error)
	for range 2 {
		go func() {
			_, err := ask(t.Context(), c, "x")
			errs <- err
		}()
	}
	codes := []messages.Code{messages.StatusOf(<-errs).Code, messages.StatusOf(<-errs).Code}
	slices.Sort(codes)
	if !slices.Equal(codes, []messages.Code{messages.Internal, messages.Unavailable}) {
		t.Errorf("got %v", codes)
	}
}

// A push that does not decode is dropped and counted; what comes after it is not harmed.
func TestPushThatDoesNotDecode(t *testing.T) {
	var book notebook
	c := dialWire(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.write([]byte{5, 0x12, 3, 0x0a, 1, 0xff})
		answerWire(p)
	}), client.Options{Pushes: []client.Push{client.OnPush(book.add)}})
	if _, err := ask(t.Context(), c, "x"); err != nil {
		t.Error(err)
	}
	if got := c.Counts(); got.PushesDropped != 1 || len(book.all()) != 0 {
		t.Errorf("%+v", got)
	}
}

// wireBubble runs f with a client of a wire's server, in time that passes when everything waits.
func wireBubble(t *testing.T, handle func(*peer), o func(n *network) client.Options, f func(t *testing.T, n *network, c *client.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &network{t: t, handle: handle}
		options := o(n)
		options.Dial = n.Dial
		c, err := client.Dial[*wire.Request, *wire.Reply](t.Context(), "tcp://127.0.0.1:1", options)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		f(t, n, c)
	})
}

// A handler that is slow holds up the server, and not the memory: what it has not taken stays in the socket.
func TestSlowHandler(t *testing.T) {
	const queue, n = 4, 20
	var wrote, handled atomic.Int64
	wireBubble(t, func(p *peer) {
		for i := range n {
			p.write(p.frame(note(fmt.Sprint(i))))
			wrote.Add(1)
		}
		answerWire(p)
	}, func(*network) client.Options {
		return client.Options{PushQueue: queue, PushStall: time.Minute, Pushes: []client.Push{client.OnPush(func(context.Context, *wire.Note) {
			time.Sleep(time.Second)
			handled.Add(1)
		})}}
	}, func(t *testing.T, _ *network, c *client.Client) {
		synctest.Wait()
		if got := wrote.Load(); got > queue+2 { // one with the handler, one with the reader
			t.Errorf("%d were taken from the server", got)
		}
		begun := time.Now()
		if got, err := ask(t.Context(), c, "behind them"); err != nil || got != "ask behind them" {
			t.Errorf("%q, %v", got, err)
		}
		if waited := time.Since(begun); waited < (n-queue-2)*time.Second {
			t.Errorf("the reply behind the pushes came after %v", waited)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if handled.Load() != n || c.Counts().Pushes != n {
			t.Errorf("%d were handled; %+v", handled.Load(), c.Counts())
		}
	})
}

// A handler that is too slow costs the connection: calls fail, and do not wait for ever.
func TestHandlerThatHangs(t *testing.T) {
	wireBubble(t, func(p *peer) {
		for i := range 10 {
			p.write(p.frame(note(fmt.Sprint(i))))
		}
		answerWire(p)
	}, func(*network) client.Options {
		return client.Options{Retries: -1, PushQueue: 1, PushStall: 3 * time.Second, Pushes: []client.Push{
			client.OnPush(func(ctx context.Context, _ *wire.Note) { <-ctx.Done() }),
		}}
	}, func(t *testing.T, _ *network, c *client.Client) {
		begun := time.Now()
		_, err := ask(t.Context(), c, "x")
		if messages.StatusOf(err).Code != messages.Unavailable || !strings.Contains(err.Error(), "pushes took none for 3s") {
			t.Error(err)
		}
		if waited := time.Since(begun); waited != 3*time.Second {
			t.Errorf("it took %v", waited)
		}
		c.Close()
		if got := c.Counts(); got.PushesDropped < 2 { // the one in the queue, the one that found no place
			t.Errorf("%+v", got)
		}
	})
}

// A handler may call, and may shut its own client down.
func TestHandlerUsesTheClient(t *testing.T) {
	var c *client.Client
	given, done := make(chan struct{}), make(chan error, 1)
	url := serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.write(p.frame(note("x")))
		answerWire(p)
	})
	c = dialWire(t, url, client.Options{Pushes: []client.Push{client.OnPush(func(ctx context.Context, _ *wire.Note) {
		<-given
		if got, err := ask(ctx, c, "from a handler"); err != nil || got != "ask from a handler" {
			t.Errorf("%q, %v", got, err)
		}
		done <- c.Shutdown(ctx)
	})}})
	close(given)
	if err := <-done; err != nil {
		t.Error(err)
	}
	_, err := ask(t.Context(), c, "x")
	wantStatus(t, err, messages.Unavailable, true)
}

// Who wants to hear pushes is connected again when the connection breaks, and told so before the next push.
// While the server is away a client that waits for pushes goes on trying, ever more rarely, until it is closed.

// Handlers that do not return do not pile up, one for each connection.
func TestHandlersThatHangAreBounded(t *testing.T) {
	wireBubble(t, func(p *peer) {
		for i := range 10 {
			p.write(p.frame(note(fmt.Sprint(i))))
		}
		p.drain()
	}, func(*network) client.Options {
		return client.Options{PushQueue: 1, PushStall: time.Second, Pushes: []client.Push{
			client.OnPush(func(ctx context.Context, _ *wire.Note) { <-ctx.Done() }),
		}}
	}, func(t *testing.T, _ *network, c *client.Client) {
		time.Sleep(time.Hour)
		if got := c.Counts(); got.Dials != 16 {
			t.Errorf("%+v", got)
		}
		_, err := ask(t.Context(), c, "x")
		wantStatus(t, err, messages.Unavailable, true)
		if !strings.Contains(err.Error(), "handlers of pushes of 16 connections") {
			t.Error(err)
		}
	})
}
