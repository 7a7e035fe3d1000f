package client

import (
	"context"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy/transport"
)

// Client is a pool of connections to one server; [Dial] makes one. All of its methods may be called from any goroutine at any
// time. It has two or three goroutines for each connection, and one while it connects, until [Client.Close] or [Client.Shutdown].
// Its zero value is of no use.
type Client struct {
	url  string
	at   transport.URL
	o    Options
	wire *wire

	ctx    context.Context // ends with the Client
	cancel context.CancelFunc
	wg     sync.WaitGroup // all of the Client's goroutines; grows under mu, while the Client is open
	budget budget
	sents  sync.Pool // of *sent

	retries, dials, dialsFailed, broken  atomic.Int64
	pushesHandled, pushesDropped, missed atomic.Int64

	mu sync.Mutex // guards what follows, and the connections' places
	pool
	state lifeState
	calls int           // that have begun and not returned
	still chan struct{} // closed when the Client is closing and no call is left
}

// lifeState says what a Client takes.
type lifeState int

const (
	open    lifeState = iota
	closing           // no new calls
	gone              // nothing
)

// Dial connects to a server's URL, as [transport.ParseURL] reads it, with the envelopes Req, of requests, and Resp, of what
// the server sends: messages with one oneof each. It waits for the first connection, and tries once: for so long as ctx and
// [Options].DialTimeout both allow. The context bounds the connecting only, not the life of the Client. The error is a
// *[DialError] if the server could not be reached; a URL, an envelope or an option that is wrong is another.
func Dial[Req, Resp proto.Message](ctx context.Context, url string, o Options) (*Client, error) {
	var request Req
	var reply Resp
	return dial(ctx, url, request, reply, o)
}

// begin lets a call in.
func (c *Client) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return c.closed()
	}
	c.calls++
	return nil
}

// done is the end of a call.
func (c *Client) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls--; c.calls == 0 && c.state != open {
		close(c.still)
	}
}

// Shutdown takes no more calls, waits until those that have begun have ended, and closes the Client as Close does. If ctx ends
// first, it closes at once and returns the error of ctx; then too it waits for the handlers of pushes to return. The handler of a
// push may call it, with its own context: then it does not wait for the handlers to return. It may be called more than once. Later
// calls get Unavailable.
func (c *Client) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	if c.state == open {
		c.state = closing
		if c.calls == 0 {
			close(c.still)
		}
	}
	c.mu.Unlock()
	var err error
	select {
	case <-c.still:
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.end()
	if ctx.Value(handlerOf{}) != c {
		c.wg.Wait()
	}
	return err
}

// Close ends all connections at once, waits until the Client's goroutines are gone, and returns nil. Calls that are waiting get
// Unavailable. It may be called more than once. It waits for handlers of pushes to return, so they must not call it; see
// Shutdown.
func (c *Client) Close() error {
	c.end()
	c.wg.Wait()
	return nil
}

// end closes everything without waiting.
func (c *Client) end() {
	c.mu.Lock()
	if c.state == open && c.calls == 0 {
		close(c.still)
	}
	c.state = gone
	conns := append([]*conn(nil), c.conns...)
	c.failWaiters(outcome{err: c.closed(), final: true})
	c.mu.Unlock()
	c.cancel()
	for _, on := range conns {
		on.end(net.ErrClosed)
		_ = on.raw.Close() // whether it was closed already makes no difference to the caller
	}
}

// Counts is what a [Client] has, at the moment, and has done, since it was made. It is a snapshot; what is done may be a step
// ahead of what there is.
type Counts struct {
	Connections   int   // connections that there are now
	InFlight      int   // requests that wait for their replies there now, those included whose calls were given up
	Waiting       int   // calls that wait for a connection with room now
	Calls         int   // calls that have begun and not returned
	Retries       int64 // tries beyond each call's first
	Dials         int64 // connections that were made
	DialsFailed   int64 // connections that could not be made
	Broken        int64 // connections that ended, other than by the Client's own end
	Late          int64 // replies that came when their calls had been given up
	Pushes        int64 // messages that a handler of pushes was given, and has returned
	PushesDropped int64 // messages that nobody asked for and nobody got: no handler, undecodable, PushStall over, or too late for Close
}

// Counts returns what the Client has and has done so far, also when it is closed. It waits for nothing but short locks.
func (c *Client) Counts() Counts {
	n := Counts{
		Retries: c.retries.Load(), Dials: c.dials.Load(), DialsFailed: c.dialsFailed.Load(), Broken: c.broken.Load(),
		Late: c.missed.Load(), Pushes: c.pushesHandled.Load(), PushesDropped: c.pushesDropped.Load(),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n.Connections, n.Waiting, n.Calls = len(c.conns), c.waiters.Len(), c.calls
	for _, on := range c.conns {
		n.InFlight += on.inflight
	}
	return n
}
