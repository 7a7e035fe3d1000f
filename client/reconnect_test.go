package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/client/internal/wire"
	"github.com/understudy-go/understudy/messages"
)

func TestReconnectBackoff(t *testing.T) {
	bubble(t, answerAll, client.Options{Retries: 3, Backoff: 100 * ms, MaxBackoff: 300 * ms}, func(t *testing.T, n *network, c *client.Client) {
		n.breakAll(t, c)
		n.setDown(true)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := echo(t.Context(), c, "x")
				wantStatus(t, err, messages.Unavailable, true)
				if dial, ok := errors.AsType[*client.DialError](err); !ok || !errors.Is(dial, errDown) {
					t.Errorf("%v does not say why", err)
				}
			})
		}
		wg.Wait()
		within(t, "dials", n.tries()[1:], downAfter, 100*ms, 200*ms, 300*ms)

		// One that cannot wait for the next one is told at once, and one that can is served by it.
		ctx, cancel := context.WithTimeout(t.Context(), ms)
		defer cancel()
		begun := time.Now()
		_, err := echo(ctx, c, "x")
		wantStatus(t, err, messages.Unavailable, true)
		if time.Since(begun) != 0 {
			t.Error("it waited")
		}
		n.setDown(false)
		if got, err := echo(t.Context(), c, "y"); err != nil || got != "y" {
			t.Errorf("%q, %v", got, err)
		}
		// What was heard makes the next failure the first.
		n.breakAll(t, c)
		n.setDown(true)
		before := len(n.tries())
		_, _ = echo(t.Context(), c, "x")
		within(t, "dials", n.tries()[before+1:], downAfter, 100*ms, 200*ms, 300*ms)
	})
}

func (n *network) breakAll(t *testing.T, c *client.Client) {
	t.Helper()
	if got, err := echo(t.Context(), c, "fine"); err != nil || got != "fine" {
		t.Fatalf("%q, %v", got, err)
	}
	n.mu.Lock()
	for _, conn := range n.conns {
		conn.Close()
	}
	n.mu.Unlock()
	synctest.Wait()
	if counts := c.Counts(); counts.Connections != 0 {
		t.Fatalf("the connection is still there: %+v", counts)
	}
}

func TestConnectionsThatComeToNothing(t *testing.T) {
	bubble(t, func(p *peer) {}, client.Options{Retries: 3, Backoff: 100 * ms, MaxBackoff: 300 * ms}, func(t *testing.T, n *network, c *client.Client) {
		synctest.Wait() // the first is gone
		_, err := echo(t.Context(), c, "x", client.Idempotent())
		if !errors.Is(err, messages.Unavailable) {
			t.Error(err)
		}
		gaps := n.tries()
		if len(gaps) < 4 {
			t.Errorf("connected %d times", len(gaps)+1)
		}
		for i, least := range []time.Duration{50 * ms, 100 * ms, 150 * ms, 150 * ms} {
			if i < len(gaps) && gaps[i] < least {
				t.Errorf("the times between connections are %v, and number %d should be %v", gaps, i, least)
			}
		}
	})
}

func TestConnectionsClosedWhileIdle(t *testing.T) {
	bubble(t, func(p *peer) {
		p.write(p.answer(p.request()))
	}, client.Options{}, func(t *testing.T, n *network, c *client.Client) {
		begun := time.Now()
		for i := range 10 {
			synctest.Wait()
			if _, err := echo(t.Context(), c, fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		}
		if counts := c.Counts(); time.Since(begun) != 0 || counts.Dials != 10 {
			t.Errorf("it took %v; %+v", time.Since(begun), counts)
		}
	})
}
func TestConnectedAgain(t *testing.T) {
	var mu sync.Mutex
	var heard []string
	hear := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, what)
	}
	served := 0
	wireBubble(t, func(p *peer) {
		served++
		p.write(p.frame(note(fmt.Sprint("push ", served))))
		m := new(wire.Request)
		if p.read(m) {
			p.write(p.frame(answer(0, said(m))))
		}
		if served == 3 {
			p.drain()
		}
	}, func(*network) client.Options {
		return client.Options{
			Pushes: []client.Push{client.OnPush(func(_ context.Context, m *wire.Note) { hear(m.GetText()) })},
			OnConnect: func(ctx context.Context, c *client.Client) {
				got, err := ask(ctx, c, "join")
				hear(fmt.Sprint(got, " ", err))
			},
		}
	}, func(t *testing.T, n *network, c *client.Client) {
		time.Sleep(time.Hour)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		want := []string{"ask join <nil>", "push 1", "ask join <nil>", "push 2", "ask join <nil>", "push 3"}
		if !slices.Equal(heard, want) {
			t.Errorf("heard %q, want %q", heard, want)
		}
		if got := c.Counts(); got.Dials != 3 || got.Connections != 1 || got.Broken != 2 {
			t.Errorf("%+v", got)
		}
	})
}

func TestGoesOnTryingToConnect(t *testing.T) {
	wireBubble(t, func(p *peer) { p.drain() }, func(*network) client.Options {
		return client.Options{Backoff: 100 * ms, MaxBackoff: 800 * ms, Pushes: []client.Push{client.OnPush(new(notebook).add)}}
	}, func(t *testing.T, n *network, c *client.Client) {
		synctest.Wait()
		n.setDown(true)
		n.mu.Lock()
		n.conns[0].Close()
		n.mu.Unlock()
		time.Sleep(5 * time.Second)
		gaps := n.tries()
		if len(gaps) < 5 {
			t.Fatalf("%v", gaps)
		}
		within(t, "dials", gaps[1:5], downAfter, 200*ms, 400*ms, 800*ms, 800*ms) // that nothing was heard was the first failure
		n.setDown(false)
		time.Sleep(time.Second)
		if got := c.Counts(); got.Connections != 1 || got.DialsFailed < 4 {
			t.Errorf("%+v", got)
		}
	})
}

// A server that refuses each connection in its first reply is not connected to without a pause, whoever calls.
func TestRefusedConnectionsArePaced(t *testing.T) {
	bubble(t, func(p *peer) {
		p.request()
		p.write(p.frame(failure(&messages.Status{Code: messages.ResourceExhausted, NotStarted: true})))
	}, client.Options{Retries: -1, Backoff: 100 * ms, MaxBackoff: 300 * ms}, func(t *testing.T, n *network, c *client.Client) {
		for range 5 {
			_, err := echo(t.Context(), c, "x")
			wantStatus(t, err, messages.ResourceExhausted, true)
			synctest.Wait()
		}
		within(t, "connections", n.tries(), 0, 100*ms, 200*ms, 300*ms, 300*ms)
	})
}

// A server that greets and hangs up is greeted again after a pause, which does not grow.
func TestGreetingsArePaced(t *testing.T) {
	wireBubble(t, func(p *peer) {
		p.write(p.frame(note("hello")))
	}, func(*network) client.Options {
		return client.Options{Backoff: 100 * ms, Pushes: []client.Push{client.OnPush(new(notebook).add)}}
	}, func(t *testing.T, n *network, c *client.Client) {
		time.Sleep(time.Second)
		for _, gap := range n.tries() {
			within(t, "connections", []time.Duration{gap}, 0, 100*ms)
		}
		if got := c.Counts(); got.Dials < 10 || got.Pushes < 9 {
			t.Errorf("%+v", got)
		}
	})
}

// mute is a connection that cannot be written to.
type mute struct{ net.Conn }

func (mute) Write([]byte) (int, error) { return 0, errDown }

// While a connection on which a write has failed is read to its end, other calls use another one.
func TestBrokenForWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{t: t, handle: answerAll}
		c, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](t.Context(), "tcp://127.0.0.1:1", client.Options{
			Retries: -1,
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := n.Dial(ctx, network, address)
				if len(n.tries()) == 0 {
					conn = mute{conn}
				}
				return conn, err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		broken := make(chan error)
		go func() {
			_, err := echo(t.Context(), c, "x")
			broken <- err
		}()
		synctest.Wait()
		begun := time.Now()
		if got, err := echo(t.Context(), c, "y"); err != nil || got != "y" || time.Since(begun) > client.DefaultBackoff {
			t.Errorf("after %v: %q, %v", time.Since(begun), got, err)
		}
		wantStatus(t, <-broken, messages.Unavailable, false)
	})
}
