package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// connection is what survives a session actor: the socket, the read position, the window and the replies not written
// yet. Everything that the session is told about stands here before it is told, so that a new incarnation finds it.
//
// Three parties use it. The reader goroutine takes requests in; workers, on any goroutine, complete them; the session
// actor writes and decides. What they share is guarded by mu, which is never held during a system call or a handler.
type connection struct {
	stage   *Stage
	id      uint64
	socket  *transport.Conn
	encodes *encoder
	reader  *transport.Reader
	mailbox Mailbox
	waiting lane // its bursts in the pool's queue; guarded by the router

	cause     string        // why it drains or closes; touched by the session actor only, as are the next ones
	opened    chan struct{} // closed when the hook for opened connections has returned; nil if there is none
	timer     *time.Timer
	outbox    outbox      // owned by the session actor, or by the writer goroutine while writing is true
	state     State       // the session's
	drainPill bool        // it closes for a drain, not for its peer
	lingering bool        // the lingering was begun
	started   bool        // the reader was started
	left      bool        // the stage's counts have it; guarded by the stage
	expired   atomic.Bool // an Expire was sent

	reading sync.Mutex                // held while the socket is read
	peer    Peer                      // what handlers know of it
	pid     atomic.Pointer[actor.PID] // of its session; nil before that has started

	epoch atomic.Int64 // of the reader: an earlier one has been replaced; changed with reading held

	first  atomic.Int32 // what becomes of the first goroutine; see begin
	pieces atomic.Int32 // what the pace says; for the reader

	orders  atomic.Int32 // what the reader shall do: read, drain, stop
	arrival atomic.Int32 // what the session says of the burst that arrived
	parked  atomic.Bool
	woken   atomic.Bool                   // a Replied is in the mailbox
	nudged  atomic.Pointer[chan struct{}] // nil before a reader has been parked

	mu        sync.Mutex
	pace      pace
	window    window
	input     input
	writing   bool
	lingered  bool
	sealed    bool // no more requests or pushes are taken: the last reply was written
	closed    bool // no reply can be delivered any more
	cut       bool // requests were answered by Expire
	writeErr  error
	inflight  int     // requests decoded and not answered
	unwritten int     // bytes of replies and pushes in window or outbox
	pushes    *pushes // nil before there is one
	total     tally
	base      *baseContext // of the requests' contexts; nil before one has asked for it
}

// baseContext is a context with what cancels it.
type baseContext struct {
	context.Context
	cancel context.CancelFunc
}

// input is how the stream of requests ended.
type input int32

const (
	inputOpen    input = iota
	inputEOF           // the peer has half-closed or closed
	inputRefused       // a framing error: no more frames can be cut
	inputTimeout       // first byte, idle or frame time-out
	inputDrained       // a drain has read all it wanted
	inputFailed        // the socket failed
)

const (
	orderRead int32 = iota
	orderDrain
	orderStop
)

const (
	arrivalNone int32 = iota
	arrivalPending
	arrivalAdmitted
	arrivalRefused
)

func newConnection(st *Stage, socket *transport.Conn, framing transport.Framing) *connection {
	c := &connection{
		stage:   st,
		id:      st.nextID.Add(1),
		socket:  socket,
		encodes: st.encoders[framing.Name()],
		reader:  transport.NewReader(socket, framing, st.MaxFrame, st.reads, st.Read),
		outbox:  outbox{merge: st.WriteBuffer, recycle: st.writes.Put},
	}
	c.mailbox.OnPill = c.onPill
	c.peer.c = c
	c.window.unordered = st.Table.RequestID != nil
	return c
}

// onPill is what the session receives in a pill's place. It runs on the session's goroutine.
func (c *connection) onPill() any {
	c.drainPill = true
	return messages.Drain{}
}

// arrive puts the requests of one read, which brought that many bytes, into the window, as a burst. It returns nil if the
// session has said its last word.
func (c *connection) arrive(in *transport.Input, received int64) *Burst {
	b := newBurst(c)
	b.buf = in.Buf
	b.frames = append(b.frames, in.Frames...)
	if in.Err != nil {
		b.refusal = messages.StatusOf(in.Err)
	}
	b.arrived = c.stage.router.clock()
	b.ready = b.arrived
	b.deadline = c.stage.router.time(b.arrived).Add(c.stage.Deadline)
	b.newContext(c)
	n := b.size()
	b.identify(c.stage.Table)
	c.mu.Lock()
	c.total.bytesReceived += received
	if c.sealed || c.closed {
		c.mu.Unlock()
		return nil
	}
	b.segment = c.window.append(b, n, in.Bytes)
	b.claimIDs(&c.window)
	c.inflight += n
	c.total.decoded += int64(n)
	c.total.bytesDecoded += int64(in.Bytes)
	c.total.readerBursts++
	c.mu.Unlock()
	return b
}

// context is the parent of the contexts of all requests of the connection. It is cancelled when the connection is gone.
func (c *connection) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base == nil {
		ctx, cancel := context.WithCancel(c.stage.base)
		c.base = &baseContext{ctx, cancel}
		if c.closed {
			cancel()
		}
	}
	return c.base.Context
}

// wake has the session look at its window, at once if it is at rest.
func (c *connection) wake() {
	if c.mailbox.TryRun(messages.Replied{}) {
		return
	}
	if c.woken.CompareAndSwap(false, true) {
		c.mailbox.PostUserMessage(messages.Replied{})
	}
}

// order tells the reader what to do from now on. Orders go one way only: read, drain, stop.
func (c *connection) order(o int32) {
	for {
		old := c.orders.Load()
		if old >= o || c.orders.CompareAndSwap(old, o) {
			break
		}
	}
	c.socket.Interrupt()
	c.nudge()
}

// nudge has a reader that is parked look again.
func (c *connection) nudge() {
	if c.parked.Load() {
		select {
		case *c.nudged.Load() <- struct{}{}:
		default:
		}
	}
}

// park waits on the reader's goroutine until cond holds. Who makes it true calls nudge afterwards.
func (c *connection) park(cond func() bool) {
	for !cond() {
		nudged := c.nudges()
		c.parked.Store(true)
		if !cond() {
			<-nudged
		}
		c.parked.Store(false)
	}
}

// nudges returns the channel that a reader is parked on. Most connections never need one.
func (c *connection) nudges() chan struct{} {
	if c.nudged.Load() == nil {
		fresh := make(chan struct{}, 1)
		c.nudged.CompareAndSwap(nil, &fresh) // another reader may be parked too
	}
	return *c.nudged.Load()
}

// room returns how many requests the reader may take.
func (c *connection) room() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.window.bytes+c.unwritten >= c.stage.WindowBytes {
		return 0
	}
	return c.stage.Window - c.inflight
}

// addTo adds what the connection has done so far to the server's counts.
func (c *connection) addTo(all *Counts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total.addTo(all)
	all.InFlight += int64(c.inflight)
	if c.pushes != nil {
		all.Pushed += c.pushes.taken
		all.PushesSent += c.pushes.sent
	}
	if c.closed {
		// The reader may have read on until it noticed.
		all.BytesDiscarded += c.total.bytesReceived - c.total.bytesDecoded
	}
}
