package client

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy/messages"
)

// The codes after which another try may help: if the request was surely not started, and if it is idempotent. Those after
// which it cannot, as the server would say the same again, are in neither.
var (
	retryUnstarted = []messages.Code{
		messages.Unavailable, messages.ResourceExhausted, messages.Aborted, messages.Internal, messages.Unknown, messages.DeadlineExceeded,
	}
	retryIdempotent = []messages.Code{messages.Unavailable, messages.ResourceExhausted, messages.Aborted, messages.Internal}
)

// try has a request answered, in as many tries as it takes and may.
func (c *Client) try(ctx context.Context, x *exchange) (proto.Message, error) {
	notStarted := true // all the tries so far
	for n := 0; ; n++ {
		o := c.attempt(ctx, x)
		if o.err == nil {
			c.budget.earn()
			return o.reply, nil
		}
		err := o.err
		if notStarted = notStarted && err.NotStarted; err.NotStarted && !notStarted {
			failed := *err
			failed.NotStarted = false // this try was not started, but one before may have been
			err = &failed
		}
		if o.final || n >= c.o.Retries || !worthRetrying(o.err, x.idempotent) {
			return nil, err
		}
		var wait time.Duration
		until := o.next
		if until.IsZero() {
			wait = advised(o.err) + backoff(n+1, c.o.Backoff, c.o.MaxBackoff)
			until = time.Now().Add(wait)
		}
		if deadline, ok := ctx.Deadline(); ok && !until.Before(deadline) {
			return nil, err // it would wait in vain
		}
		if !c.budget.spend() {
			return nil, err
		}
		if !c.sleep(ctx, wait) {
			if ctx.Err() == nil {
				return nil, err // the client was closed
			}
			given := gaveUp(ctx.Err(), notStarted)
			given.Message += " while waiting to try again after " + err.Error()
			return nil, given
		}
		c.retries.Add(1)
	}
}

// worthRetrying says whether a call that failed with s may be tried again.
func worthRetrying(s *messages.Status, idempotent bool) bool {
	return s.NotStarted && slices.Contains(retryUnstarted, s.Code) || idempotent && slices.Contains(retryIdempotent, s.Code)
}

// sleep waits, and tells whether neither the context nor the client ended meanwhile.
func (c *Client) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil && c.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	return false
}

// outcome is how one try of a call ended.
type outcome struct {
	reply proto.Message    // nil if there is an error
	err   *messages.Status // nil if there is a reply
	final bool             // another try cannot help
	next  time.Time        // when the next connection is tried, for which the next try of the call will wait; zero if there is one
}

// attempt tries once.
func (c *Client) attempt(ctx context.Context, x *exchange) outcome {
	var ended error
	// A connection may end between the moment it is chosen and the moment it is written to; then there may be another.
	for range c.o.Connections + 1 {
		on, failed := c.acquire(ctx)
		if on == nil {
			return failed
		}
		sent, err := on.send(x)
		if err != nil {
			ended = err
			c.remove(on, err)
			continue
		}
		select {
		case o := <-sent.done:
			c.recycle(sent)
			return o
		case <-ctx.Done():
			if sent.abandon() {
				return outcome{err: gaveUp(ctx.Err(), false), final: true}
			}
			o := <-sent.done // it came all the same
			c.recycle(sent)
			return o
		}
	}
	return outcome{err: c.unavailable(ended, true)}
}
