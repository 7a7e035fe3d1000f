package client

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// maxHung is of how many connections that have ended the handlers of pushes may still run. With so many no further connection is
// made, or handlers that do not return would pile up, one for each connection.
const maxHung = 16

// pool is the part of a Client that chooses among connections, and makes them. All of it is guarded by Client.mu.
type pool struct {
	conns   []*conn
	waiters list.List // of *waiter: calls that found no connection with room, the oldest in front

	attending int       // goroutines that call handlers of pushes, those of connections that have ended included
	dialing   bool      // a goroutine is making a connection, or waits to
	failures  int       // how many times in a row no connection came about, or one on which nothing was heard
	failure   error     // the last of them
	notBefore time.Time // when the next one may be tried
}

// waiter is a call that waits for a place.
type waiter struct {
	ready chan place // takes the one place without blocking
}

// place is room for a request on a connection, or why there is none.
type place struct {
	on     *conn
	failed outcome
}

// acquire returns a connection on which the caller has a place, or how the attempt failed. It waits until there is one.
func (c *Client) acquire(ctx context.Context) (*conn, outcome) {
	c.mu.Lock()
	if c.state == gone {
		c.mu.Unlock()
		return nil, outcome{err: c.closed(), final: true}
	}
	if on := c.leastBusy(); on != nil {
		if on.inflight > 0 {
			c.grow()
		}
		on.inflight++
		c.mu.Unlock()
		return on, outcome{}
	}
	if deadline, ok := ctx.Deadline(); ok && len(c.conns) == 0 && c.failures > 0 && !c.notBefore.Before(deadline) {
		defer c.mu.Unlock()
		return nil, c.unconnected() // it would wait in vain
	}
	w := &waiter{ready: make(chan place, 1)}
	at := c.waiters.PushBack(w)
	c.grow()
	c.mu.Unlock()
	select {
	case p := <-w.ready:
		return p.on, p.failed
	case <-ctx.Done():
	}
	c.mu.Lock()
	c.waiters.Remove(at) // does nothing if it was served
	c.mu.Unlock()
	select {
	case p := <-w.ready:
		if p.on != nil {
			c.release(p.on, false)
		}
	default:
	}
	return nil, outcome{err: gaveUp(ctx.Err(), true), final: true}
}

// leastBusy returns the connection with the fewest requests in flight of those that have room, or nil.
func (c *Client) leastBusy() (least *conn) {
	for _, on := range c.conns {
		if c.hasRoom(on) && (least == nil || on.inflight < least.inflight) {
			least = on
		}
	}
	return least
}

// hasRoom tells whether a connection takes another request. One that was made beside others takes one only, until it is
// answered: a server that has too many connections already refuses it, and would leave the others without a reply.
func (c *Client) hasRoom(on *conn) bool {
	if on.extra && !on.heard && len(c.conns) > 1 {
		return on.inflight == 0
	}
	return on.inflight < c.o.InFlight
}

// grow has one more connection made, if there may be one and none is being made.
func (c *Client) grow() {
	if c.dialing || c.state == gone || len(c.conns) >= c.o.Connections {
		return
	}
	c.dialing = true
	c.wg.Go(c.connect)
}

// connect is the goroutine that makes a connection, when the last failure is long enough ago.
func (c *Client) connect() {
	c.mu.Lock()
	wait := time.Until(c.notBefore)
	hung := c.attending - len(c.conns)
	c.mu.Unlock()
	c.sleep(c.ctx, wait) // if the client was closed, dialing fails at once
	var raw net.Conn
	var err error
	if hung >= maxHung {
		err = fmt.Errorf("the handlers of pushes of %d connections that have ended have not returned", hung)
	} else {
		raw, err = c.dialOne(c.ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialing = false
	if err == nil {
		c.adopt(raw)
		return
	}
	if c.state == gone {
		return
	}
	c.backOff(err)
	if len(c.conns) == 0 {
		c.failWaiters(c.unconnected())
	}
	c.keepUp()
}

// backOff puts off the next connection after a failure, for longer if the server advised it.
func (c *Client) backOff(cause error) {
	c.failures, c.failure = c.failures+1, cause
	c.notBefore = time.Now().Add(advised(cause) + backoff(c.failures, c.o.Backoff, c.o.MaxBackoff))
}

// unconnected is how a try ends for which there is no connection, because of the last failure.
func (c *Client) unconnected() outcome {
	o := outcome{err: c.unavailable(c.failure, true), next: c.notBefore}
	if _, ok := errors.AsType[*DialError](c.failure); ok {
		o.err.Message, o.err.RetryAfter = "", 0
	}
	return o
}

// keepUp has a connection made if somebody waits for one.
func (c *Client) keepUp() {
	if c.waiters.Len() > 0 || len(c.conns) == 0 && c.o.attended() {
		c.grow()
	}
}

// adopt takes a new connection in.
func (c *Client) adopt(raw net.Conn) {
	if c.state == gone {
		_ = raw.Close() // nothing was said on it
		return
	}
	on := newConn(c, raw)
	on.extra = len(c.conns) > 0
	c.conns = append(c.conns, on)
	c.wg.Go(on.write)
	c.wg.Go(on.read)
	if on.arrived != nil {
		c.attending++
		c.wg.Go(on.attend)
	}
	c.serve()
}

// serve gives room on connections to those who wait for it, and has another connection made if that does not do.
func (c *Client) serve() {
	for c.waiters.Len() > 0 {
		on := c.leastBusy()
		if on == nil {
			c.grow()
			return
		}
		on.inflight++
		c.waiters.Remove(c.waiters.Front()).(*waiter).ready <- place{on: on}
	}
}

// failWaiters tells those who wait that there is no connection.
func (c *Client) failWaiters(o outcome) {
	for c.waiters.Len() > 0 {
		err := *o.err // each caller's own
		o.err = &err
		c.waiters.Remove(c.waiters.Front()).(*waiter).ready <- place{failed: o}
	}
}

// release gives back a place on a connection; answered says that a reply has come which shows that it is served.
func (c *Client) release(on *conn, answered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	on.inflight--
	if answered {
		c.heardOf(on)
	}
	if !on.removed {
		c.serve()
	}
}

// hear says that a push has come on a connection.
func (c *Client) hear(on *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heardOf(on)
	c.serve()
}

// heardOf says that a connection is served: failures before it are over.
func (c *Client) heardOf(on *conn) {
	if !on.heard && !on.removed {
		on.heard = true
		c.failures, c.failure = 0, nil
	}
}

// remove takes a connection that takes no more requests out of the pool. It may be called more than once.
func (c *Client) remove(on *conn, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if on.removed {
		return
	}
	on.removed = true
	c.conns = slices.DeleteFunc(c.conns, func(other *conn) bool { return other == on })
	if c.state == gone {
		return
	}
	c.broken.Add(1)
	switch {
	case !on.heard:
		c.backOff(cause)
	case c.o.attended():
		// It connects again although nobody calls: not at once, or a server that greets and hangs up would be called without a pause.
		c.notBefore = time.Now().Add(backoff(1, c.o.Backoff, c.o.MaxBackoff))
	}
	c.serve() // the only other connection may have room now
	c.keepUp()
}
