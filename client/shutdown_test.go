package client_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

func TestShutdown(t *testing.T) {
	h := new(holding)
	bubble(t, h.handle, client.Options{}, func(t *testing.T, _ *network, c *client.Client) {
		var wg sync.WaitGroup
		start(t, c, &wg)
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- c.Shutdown(t.Context()) }()
		}
		synctest.Wait()
		_, err := echo(t.Context(), c, "too late")
		wantStatus(t, err, messages.Unavailable, true)
		if len(done) > 0 {
			t.Error("Shutdown did not wait")
		}
		h.release()
		wg.Wait()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := c.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownUntil(t *testing.T) {
	h := new(holding)
	bubble(t, h.handle, client.Options{}, func(t *testing.T, _ *network, c *client.Client) {
		errs := make(chan error)
		go func() {
			_, err := echo(t.Context(), c, "x", client.Idempotent())
			errs <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), ms)
		defer cancel()
		if err := c.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Error(err)
		}
		wantStatus(t, <-errs, messages.Unavailable, false)
		h.release()
	})
}

func TestShutdownOfAnIdleClient(t *testing.T) {
	bubble(t, answerAll, client.Options{}, func(t *testing.T, _ *network, c *client.Client) {
		for range 2 {
			if err := c.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			c.Close()
		}
	})
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
	_, err := echo(t.Context(), c, "x")
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
		if strings.Contains(stacks.String(), "understudy/client.(*") {
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
		_, err := echo(t.Context(), c, strings.Repeat("x", 60<<20)) // more than the sockets hold: the writer is stuck in it
		wantStatus(t, err, messages.Unavailable, false)
	})
	<-arrived
	var calling sync.WaitGroup
	for range 20 {
		calling.Add(1)
		wg.Go(func() {
			calling.Done()
			_, err := echo(t.Context(), c, "behind it")
			wantStatus(t, err, messages.Unavailable, true)
		})
	}
	calling.Wait()
	c.Close()
	wg.Wait()
}
