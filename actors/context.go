package actors

import (
	"context"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// requestContext is the context of a burst's requests, which all arrived together and so share a deadline. It costs a
// timer only if a handler asks for Done: then, and only then, a real context stands behind it. It is recycled if no handler
// has seen it but those that borrow; others may keep it.
type requestContext struct {
	conn     *connection
	deadline time.Time

	mu     sync.Mutex
	real   context.Context
	cancel context.CancelFunc
	ended  bool
}

var _ context.Context = (*requestContext)(nil)

// Deadline returns the time at which the request is answered with DEADLINE_EXCEEDED.
func (c *requestContext) Deadline() (time.Time, bool) { return c.deadline, true }

// Done returns a channel that is closed at the deadline, when the connection is gone, when a drain is forced, and when the
// burst that the request came in is done.
func (c *requestContext) Done() <-chan struct{} { return c.materialize().Done() }

// Err is nil until Done is closed.
func (c *requestContext) Err() error {
	c.mu.Lock()
	real, ended := c.real, c.ended
	c.mu.Unlock()
	switch {
	case real != nil:
		return real.Err()
	case ended:
		return context.Canceled // as Done would be closed
	}
	if err := c.conn.context().Err(); err != nil {
		return err
	}
	if !time.Now().Before(c.deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// stageKey is the key of a request's context whose value is the server's stage.
type stageKey struct{}

// Value returns the server's values.
func (c *requestContext) Value(key any) any {
	switch key {
	case stageKey{}:
		return c.conn.stage
	case peerKey{}:
		return &c.conn.peer
	}
	return c.conn.context().Value(key)
}

// Handles says whether ctx is, or was made from, the context of a request that this server is handling.
func (s *Stage) Handles(ctx context.Context) bool { return ctx.Value(stageKey{}) == s }

func (c *requestContext) materialize() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.real == nil {
		c.real, c.cancel = context.WithDeadline(c.conn.context(), c.deadline)
		if c.ended {
			c.cancel()
		}
	}
	return c.real
}

// reset makes a context that has ended fit for another burst. Nobody else has it.
func (c *requestContext) reset() {
	c.conn, c.deadline, c.real, c.cancel, c.ended = nil, time.Time{}, nil, nil, false
}

// end frees the timer and tells whoever still listens that nobody waits for an answer any more.
func (c *requestContext) end() {
	c.mu.Lock()
	c.ended = true
	cancel := c.cancel
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// AskContext returns the context of the request that an actor has from sender, as long as somebody waits for the answer; nil if sender
// is none of a server's requests in this system, or it is answered, or its connection has gone.
func AskContext(system *actor.ActorSystem, sender *actor.PID) context.Context {
	if sender == nil {
		return nil
	}
	process, _ := system.ProcessRegistry.Get(sender)
	a, ok := process.(*asks)
	if !ok {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	// Of a connection that has gone everything was seized before anybody was told of it.
	if k := a.byID[sender.RequestId]; k != nil && !k.overdue && !k.burst.gone() {
		return k.ctx
	}
	return nil
}
