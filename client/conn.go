package client

import (
	"net"
	"sync"
	"time"
)

// conn is one connection of a Client. A goroutine writes, a goroutine reads, and if the Client is attended, one calls the
// handlers of pushes. They end with the connection.
type conn struct {
	c       *Client
	raw     net.Conn
	kick    chan struct{} // tells the writer that there is something in out
	ended   chan struct{} // closed when err is set
	pushed  bool          // a push was received; the reader's own
	arrived chan arrived  // pushes that wait for their handlers, closed by the reader at its end; nil if the Client is unattended

	// The pool's, guarded by Client.mu.
	inflight int  // places taken
	extra    bool // there were others when it was made
	heard    bool // a reply or a push was received
	removed  bool

	mu      sync.Mutex // guards what follows, and makes out's order that of pending
	out     []byte     // frames that the writer has not taken
	nth     uint64     // how many requests were put in out
	taken   uint64     // how many of them the writer has taken
	pending pending
	err     error // why the connection takes no more requests; nil while it does
}

func newConn(c *Client, raw net.Conn) *conn {
	on := &conn{c: c, raw: raw, kick: make(chan struct{}, 1), ended: make(chan struct{}), pending: newPending(c.wire.requestID != nil)}
	if c.o.attended() {
		on.arrived = make(chan arrived, c.o.PushQueue)
	}
	return on
}

// send puts a request in line for the writer. The caller has a place on the connection. The error is why the connection takes
// no more.
func (on *conn) send(x *exchange) (*sent, error) {
	s := on.c.newSent(x)
	on.mu.Lock()
	if err := on.err; err != nil {
		on.mu.Unlock()
		on.c.recycle(s)
		return nil, err
	}
	on.pending.add(s)
	if on.pending.len() == 1 {
		on.expect()
	}
	on.nth++
	s.nth = on.nth
	on.out = on.c.wire.appendRequest(on.out, x, s.id)
	on.mu.Unlock()
	select {
	case on.kick <- struct{}{}:
	default: // the writer has been told
	}
	return s, nil
}

// expect has the reader wait for so long as the server may be silent: for ever if no reply is due. mu is held.
func (on *conn) expect() {
	if on.c.o.Silence == 0 || on.err != nil {
		return
	}
	var until time.Time
	if on.pending.len() > 0 {
		until = time.Now().Add(on.c.o.Silence)
	}
	_ = on.raw.SetReadDeadline(until) // fails only if the connection has ended
}

// end lets the connection take no more requests. The first reason stays.
func (on *conn) end(err error) {
	on.mu.Lock()
	defer on.mu.Unlock()
	on.endLocked(err)
}

// endLocked is end; mu is held.
func (on *conn) endLocked(err error) {
	if on.err == nil {
		on.err = err
		close(on.ended)
	}
}

// Bounds of buffers and waits.
const (
	// keepBuffer is up to how many bytes a buffer is kept for the next use. A rare large message must not hold its memory.
	keepBuffer = 64 << 10

	// lastReplies is how long the reader may go on after a write has failed. What the server had answered until then is
	// there to be read; a broken connection ends the reading by itself much sooner.
	lastReplies = time.Second
)

// write is the writer's goroutine: it writes all that was put in line since its last write at once, until the connection
// ends.
func (on *conn) write() {
	var spare []byte
	for {
		select {
		case <-on.kick:
		case <-on.ended:
			return
		}
		on.mu.Lock()
		batch := on.out
		on.out, on.taken = spare[:0], on.nth
		on.mu.Unlock()
		if len(batch) == 0 { // the last batch held it already
			spare = batch
			continue
		}
		if _, err := on.raw.Write(batch); err != nil {
			on.end(err)
			_ = on.raw.SetReadDeadline(time.Now().Add(lastReplies)) // fails only if the reader is done already
			return
		}
		if cap(batch) > keepBuffer {
			batch = nil
		}
		spare = batch
	}
}
