package client_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
)

// A call that was surely not started is tried again: after what the server advised, and a backoff that doubles.
func TestRetryAfter(t *testing.T) {
	refusal := &messages.Status{Code: messages.ResourceExhausted, RetryAfter: 300 * ms, NotStarted: true}
	var at []time.Time
	bubble(t, func(p *peer) {
		for m := p.request(); m != nil; m = p.request() {
			if at = append(at, time.Now()); len(at) < 5 {
				p.write(p.frame(failure(refusal)))
			} else {
				p.write(p.answer(m))
			}
		}
	}, client.Options{Retries: 4, Backoff: 40 * ms, MaxBackoff: 100 * ms}, func(t *testing.T, _ *network, c *client.Client) {
		if got, err := echo(t.Context(), c, "x"); err != nil || got != "x" {
			t.Fatalf("%q, %v", got, err)
		}
		var gaps []time.Duration
		for i := range at[1:] {
			gaps = append(gaps, at[i+1].Sub(at[i]))
		}
		within(t, "retries", gaps, 300*ms, 40*ms, 80*ms, 100*ms, 100*ms)
		if n := c.Counts().Retries; n != 4 {
			t.Errorf("%d retries were counted", n)
		}
	})
}

// Which failures are tried again, and how often.
func TestWhatIsRetried(t *testing.T) {
	const retries = 2
	unstarted := []messages.Code{
		messages.Unavailable, messages.ResourceExhausted, messages.Aborted, messages.Internal, messages.Unknown, messages.DeadlineExceeded,
	}
	idempotent := []messages.Code{messages.Unavailable, messages.ResourceExhausted, messages.Aborted, messages.Internal}
	for code := messages.Canceled; code < messages.Codes; code++ {
		for _, notStarted := range []bool{false, true} {
			for _, declared := range []bool{false, true} {
				want := 1
				if notStarted && slices.Contains(unstarted, code) || declared && slices.Contains(idempotent, code) {
					want = 1 + retries
				}
				var mu sync.Mutex
				served := 0
				s := &messages.Status{Code: code, NotStarted: notStarted}
				bubble(t, failing(&served, &mu, 100, s), client.Options{Retries: retries}, func(t *testing.T, _ *network, c *client.Client) {
					var options []client.CallOption
					if declared {
						options = append(options, client.Idempotent())
					}
					_, err := echo(t.Context(), c, "x", options...)
					wantStatus(t, err, code, notStarted)
					if served != want {
						t.Errorf("%v, not started %t, idempotent %t: tried %d times, want %d", code, notStarted, declared, served, want)
					}
				})
			}
		}
	}
}

// Below 0 is never, and a request that the client itself refuses is not tried at all.
func TestNoRetries(t *testing.T) {
	var mu sync.Mutex
	served := 0
	s := &messages.Status{Code: messages.Unavailable, NotStarted: true}
	bubble(t, failing(&served, &mu, 100, s), client.Options{Retries: -1}, func(t *testing.T, _ *network, c *client.Client) {
		_, err := echo(t.Context(), c, "x", client.Idempotent())
		wantStatus(t, err, messages.Unavailable, true)
		if served != 1 {
			t.Errorf("tried %d times", served)
		}
	})
}

// A reply that cannot be used would be no better a second time.
func TestReplyOfAnotherKindIsNotRetried(t *testing.T) {
	served := 0
	bubble(t, func(p *peer) {
		for p.request() != nil {
			served++
			p.write([]byte{2, 0x12, 0})
		}
	}, client.Options{}, func(t *testing.T, _ *network, c *client.Client) {
		_, err := echo(t.Context(), c, "x", client.Idempotent())
		wantStatus(t, err, messages.Internal, false)
		if served != 1 {
			t.Errorf("tried %d times", served)
		}
	})
}

// What would be answered after the deadline only is not waited for.
func TestNoRetryPastTheDeadline(t *testing.T) {
	var mu sync.Mutex
	served := 0
	s := &messages.Status{Code: messages.Unavailable, RetryAfter: time.Second, NotStarted: true}
	bubble(t, failing(&served, &mu, 100, s), client.Options{}, func(t *testing.T, _ *network, c *client.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		_, err := echo(ctx, c, "x")
		wantStatus(t, err, messages.Unavailable, true)
		if waited := time.Since(begun); waited != 0 || served != 1 {
			t.Errorf("waited %v, tried %d times", waited, served)
		}
	})
}

// An advice for ever does not overflow into none.
func TestRetryAfterForEver(t *testing.T) {
	var mu sync.Mutex
	served := 0
	s := &messages.Status{Code: messages.Unavailable, RetryAfter: 1<<63 - 1, NotStarted: true}
	bubble(t, failing(&served, &mu, 2, s), client.Options{}, func(t *testing.T, _ *network, c *client.Client) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(24 * time.Hour)
			cancel()
		}()
		_, err := echo(ctx, c, "x")
		wantStatus(t, err, messages.Canceled, true)
		if served != 1 {
			t.Errorf("tried %d times", served)
		}
	})
}

func TestCancelWhileWaitingToRetry(t *testing.T) {
	var mu sync.Mutex
	served := 0
	s := &messages.Status{Code: messages.Aborted, Message: "in the way", RetryAfter: time.Minute}
	bubble(t, failing(&served, &mu, 100, s), client.Options{}, func(t *testing.T, _ *network, c *client.Client) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			cancel()
		}()
		_, err := echo(ctx, c, "x", client.Idempotent())
		wantStatus(t, err, messages.Canceled, false)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "in the way") {
			t.Errorf("%v does not say what it waited after", err)
		}
	})
}

func TestCloseWhileWaitingToRetry(t *testing.T) {
	var mu sync.Mutex
	served := 0
	s := &messages.Status{Code: messages.Aborted, RetryAfter: time.Minute}
	bubble(t, failing(&served, &mu, 100, s), client.Options{}, func(t *testing.T, _ *network, c *client.Client) {
		go func() {
			synctest.Wait()
			c.Close()
		}()
		begun := time.Now()
		_, err := echo(t.Context(), c, "x", client.Idempotent())
		wantStatus(t, err, messages.Aborted, false)
		if time.Since(begun) != 0 {
			t.Error("it waited for the retry")
		}
	})
}

// NotStarted is of all the tries: one that was not started after one that may have been does not make it so.
func TestNotStartedOfAllTries(t *testing.T) {
	bubble(t, func(p *peer) {
		for p.request() != nil {
			if p.nth == 1 {
				return // it was sent, and the connection breaks
			}
			p.write(p.frame(failure(&messages.Status{Code: messages.Unavailable, NotStarted: true})))
		}
	}, client.Options{}, func(t *testing.T, _ *network, c *client.Client) {
		_, err := echo(t.Context(), c, "x", client.Idempotent())
		wantStatus(t, err, messages.Unavailable, false)
		_, err = echo(t.Context(), c, "y")
		wantStatus(t, err, messages.Unavailable, true)
	})
}

// Retries of all calls come out of one budget, which successes fill again.
func TestRetryBudget(t *testing.T) {
	var mu sync.Mutex
	served, fails := 0, true
	bubble(t, func(p *peer) {
		for m := p.request(); m != nil; m = p.request() {
			mu.Lock()
			served++
			failed := fails
			mu.Unlock()
			if failed {
				p.write(p.frame(failure(&messages.Status{Code: messages.Unavailable, NotStarted: true})))
			} else {
				p.write(p.answer(m))
			}
		}
	}, client.Options{Retries: 3}, func(t *testing.T, _ *network, c *client.Client) {
		many := func(n int) {
			for range n {
				_, _ = echo(t.Context(), c, "x")
			}
		}
		many(200)
		if served != 300 || c.Counts().Retries != 100 {
			t.Errorf("200 calls were tried %d times; %+v", served, c.Counts())
		}
		fails = false
		many(50)
		fails, served = true, 0
		many(10)
		if served < 14 || served > 15 { // 50 tenths, added up
			t.Errorf("10 calls, after 50 that succeeded, were tried %d times", served)
		}
	})
}

// A server that cannot be reached is tried after times that double, by one goroutine, however many calls wait.
// breakAll breaks the connection, which a call shows to be fine before.
// A server that takes connections and closes them counts as one that cannot be reached.
// One call at a time finds out that a connection was closed while nobody used it, and is not the worse for it.
