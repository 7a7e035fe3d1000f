package client_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// network is servers without sockets, for what is about time. Its Dial makes connections to handle, which is called with
// each on a goroutine of its own.
type network struct {
	t      testing.TB
	handle func(*peer)

	mu     sync.Mutex
	down   bool        // connections cannot be made
	dialed []time.Time // when it was tried
	conns  []net.Conn  // the servers' sides
}

const ms = time.Millisecond

var errDown = errors.New("the network is down")

// downAfter is how long it takes to find that out.
const downAfter = ms

func (n *network) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.Lock()
	n.dialed = append(n.dialed, time.Now())
	down := n.down
	n.mu.Unlock()
	if down {
		time.Sleep(downAfter)
		return nil, errDown
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	near, far := net.Pipe()
	n.conns = append(n.conns, far)
	nth := len(n.conns)
	go func() {
		defer far.Close()
		n.handle(&peer{t: n.t, conn: far, in: bufio.NewReader(far), framing: transport.Delimited, nth: nth})
	}()
	return near, nil
}

// tries returns how long after one another it was tried to connect.
func (n *network) tries() (gaps []time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, at := range n.dialed[1:] {
		gaps = append(gaps, at.Sub(n.dialed[i]))
	}
	return gaps
}

func (n *network) setDown(down bool) {
	n.mu.Lock()
	n.down = down
	n.mu.Unlock()
}

// bubble runs f with a client of handle, in time that passes when everything waits.
func bubble(t *testing.T, handle func(*peer), o client.Options, f func(t *testing.T, n *network, c *client.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &network{t: t, handle: handle}
		o.Dial = n.Dial
		c, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](t.Context(), "tcp://127.0.0.1:1", o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		f(t, n, c)
	})
}

// failing answers requests with a failure, those before the nth, and counts them.
func failing(count *int, mu *sync.Mutex, n int, s *messages.Status) func(*peer) {
	return func(p *peer) {
		for m := p.request(); m != nil; m = p.request() {
			mu.Lock()
			*count++
			fails := *count < n
			mu.Unlock()
			if fails {
				p.write(p.frame(failure(s)))
			} else {
				p.write(p.answer(m))
			}
		}
	}
}

// within checks times that were waited against half of a ceiling and the whole, after an advice.
func within(t *testing.T, what string, got []time.Duration, advice time.Duration, ceilings ...time.Duration) {
	t.Helper()
	if len(got) != len(ceilings) {
		t.Fatalf("%s: waited %v, want %d waits", what, got, len(ceilings))
	}
	for i, ceiling := range ceilings {
		if got[i] < advice+ceiling/2 || got[i] > advice+ceiling {
			t.Errorf("%s: wait %d is %v, want %v and from %v to %v", what, i, got[i], advice, ceiling/2, ceiling)
		}
	}
}
