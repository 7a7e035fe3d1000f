package client_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// holding is a server whose replies wait until they are released.
type holding struct {
	mu      sync.Mutex
	waiting []int // requests that have come, by connection
	gate    chan struct{}
}

// held is what replies wait for. It is made when it is needed: in the bubble.
func (h *holding) held() chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gate == nil {
		h.gate = make(chan struct{})
	}
	return h.gate
}

// release lets the replies go.
func (h *holding) release() { close(h.held()) }

// hold has later replies wait again.
func (h *holding) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gate = nil
	clear(h.waiting)
}

func (h *holding) handle(p *peer) {
	h.mu.Lock()
	n := len(h.waiting)
	h.waiting = append(h.waiting, 0)
	h.mu.Unlock()
	for m := p.request(); m != nil; m = p.request() {
		h.mu.Lock()
		h.waiting[n]++
		h.mu.Unlock()
		reply, held := p.answer(m), h.held()
		go func() {
			<-held
			p.write(reply)
		}()
	}
}

func (h *holding) loads() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]int(nil), h.waiting...)
}

// start begins a call that the server holds, and waits until everything has settled.
func start(t *testing.T, c *client.Client, wg *sync.WaitGroup) {
	wg.Go(func() {
		if _, err := echo(t.Context(), c, "x"); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
}

func wantLoads(t *testing.T, h *holding, want ...int) {
	t.Helper()
	got := h.loads()
	same := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		same = same && got[i] == want[i]
	}
	if !same {
		t.Fatalf("requests by connection: %v, want %v", got, want)
	}
}

// Connections are made when those that there are have something to do, and calls go where the fewest are in flight.
func TestPool(t *testing.T) {
	h := new(holding)
	bubble(t, h.handle, client.Options{Connections: 3, InFlight: 3}, func(t *testing.T, _ *network, c *client.Client) {
		var wg sync.WaitGroup
		start(t, c, &wg)
		wantLoads(t, h, 1)
		start(t, c, &wg) // beside the first; another connection is made for the next
		wantLoads(t, h, 2, 0)
		start(t, c, &wg) // to the new one, which takes no more until it has answered
		wantLoads(t, h, 2, 1)
		start(t, c, &wg)
		wantLoads(t, h, 3, 1, 0)
		start(t, c, &wg)
		wantLoads(t, h, 3, 1, 1)
		start(t, c, &wg) // everything is full
		wantLoads(t, h, 3, 1, 1)
		if n := c.Counts(); n.Connections != 3 || n.InFlight != 5 || n.Waiting != 1 || n.Calls != 6 || n.Dials != 3 {
			t.Errorf("%+v", n)
		}
		h.release()
		wg.Wait()
		h.hold()
		for range 9 {
			start(t, c, &wg)
		}
		wantLoads(t, h, 3, 3, 3)
		start(t, c, &wg)
		if n := c.Counts(); n.InFlight != 9 || n.Waiting != 1 {
			t.Errorf("%+v", n)
		}
		h.release()
		wg.Wait()
		synctest.Wait()
		if n := c.Counts(); n.InFlight != 0 || n.Waiting != 0 || n.Calls != 0 || n.Connections != 3 || n.Broken != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// A call that is given up while it waits for a place leaves the place to others, whichever comes first.
func TestGivingUpTheWaitForAPlace(t *testing.T) {
	for range 50 {
		h := new(holding)
		bubble(t, h.handle, client.Options{InFlight: 1}, func(t *testing.T, _ *network, c *client.Client) {
			var wg sync.WaitGroup
			start(t, c, &wg)
			ctx, cancel := context.WithCancel(t.Context())
			wg.Go(func() {
				if _, err := echo(ctx, c, "given up"); err != nil {
					wantStatus(t, err, messages.Canceled, messages.StatusOf(err).NotStarted)
				}
			})
			synctest.Wait()
			start(t, c, &wg)
			go cancel()
			h.release()
			wg.Wait()
			synctest.Wait()
			if n := c.Counts(); n.InFlight != 0 || n.Waiting != 0 {
				t.Fatalf("%+v", n)
			}
		})
	}
}

// When a connection breaks, what waits for its replies fails, and the others do not.
func TestOneOfSeveralBreaks(t *testing.T) {
	h := new(holding)
	bubble(t, h.handle, client.Options{Connections: 2, Retries: -1}, func(t *testing.T, n *network, c *client.Client) {
		errs := make(chan error, 3)
		for range 3 { // the third goes to the second connection
			go func() {
				_, err := echo(t.Context(), c, "x")
				errs <- err
			}()
			synctest.Wait()
		}
		wantLoads(t, h, 2, 1)
		n.mu.Lock()
		n.conns[1].Close()
		n.mu.Unlock()
		wantStatus(t, <-errs, messages.Unavailable, false)
		synctest.Wait()
		if got := c.Counts(); got.Connections != 1 || got.InFlight != 2 || got.Broken != 1 {
			t.Errorf("%+v", got)
		}
		h.release()
		for range 2 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

// A reply that comes too late is thrown away and counted, and its place is free.
func TestLateReplies(t *testing.T) {
	h := new(holding)
	bubble(t, h.handle, client.Options{}, func(t *testing.T, _ *network, c *client.Client) {
		ctx, cancel := context.WithCancel(t.Context())
		for range 5 {
			go func() {
				_, err := echo(ctx, c, "late")
				wantStatus(t, err, messages.Canceled, false)
			}()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		if n := c.Counts(); n.InFlight != 5 || n.Calls != 0 || n.Late != 0 {
			t.Errorf("%+v", n)
		}
		h.release()
		synctest.Wait()
		if n := c.Counts(); n.InFlight != 0 || n.Late != 5 {
			t.Errorf("%+v", n)
		}
		if got, err := echo(t.Context(), c, "x"); err != nil || got != "x" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// A server that owes replies and says nothing is given up, in time to call another one.
func TestSilence(t *testing.T) {
	const silence = 5 * time.Second
	bubble(t, func(p *peer) {
		for m := p.request(); m != nil; m = p.request() {
			if p.nth > 1 {
				time.Sleep(silence - 1)
				p.write(p.answer(m))
			}
		}
	}, client.Options{Silence: silence, Retries: 1}, func(t *testing.T, _ *network, c *client.Client) {
		time.Sleep(time.Hour) // silence while nothing is due is no sign of death
		begun := time.Now()
		_, err := echo(t.Context(), c, "x")
		wantStatus(t, err, messages.Unavailable, false)
		if waited := time.Since(begun); waited != silence || !strings.Contains(err.Error(), "nothing for 5s") {
			t.Errorf("after %v: %v", waited, err)
		}
		var wg sync.WaitGroup
		for range 3 { // together they take longer than that
			wg.Go(func() {
				if got, err := echo(t.Context(), c, "y"); err != nil || got != "y" {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Hour)
		if n := c.Counts(); n.Connections != 1 || n.Broken != 1 {
			t.Errorf("%+v", n)
		}
	})
}

// That no further connection can be made is nothing to a call that waits for a place on one that there is.
func TestNoFurtherConnection(t *testing.T) {
	h := new(holding)
	bubble(t, h.handle, client.Options{Connections: 2, InFlight: 1, Retries: -1}, func(t *testing.T, n *network, c *client.Client) {
		n.setDown(true)
		var wg sync.WaitGroup
		start(t, c, &wg)
		start(t, c, &wg)
		time.Sleep(time.Minute)
		if got := c.Counts(); got.Waiting != 1 || got.DialsFailed < 10 {
			t.Errorf("%+v", got)
		}
		h.release()
		wg.Wait()
	})
}

// Calls that are given up at any moment take no place with them.
func TestPlacesAreNotLost(t *testing.T) {
	c := dial(t, serve(t, "tcp", transport.Delimited, answerAll), client.Options{InFlight: 2})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				go cancel()
				if _, err := echo(ctx, c, "x"); err != nil && !errors.Is(err, messages.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for range 10 {
		if _, err := echo(t.Context(), c, "x"); err != nil {
			t.Error(err)
		}
	}
	if n := c.Counts(); n.InFlight != 0 || n.Waiting != 0 || n.Calls != 0 {
		t.Errorf("%+v", n)
	}
}
