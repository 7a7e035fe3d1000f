package actors

import (
	"errors"
	"io"
	"runtime"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// begin is the first goroutine of a connection: it has the session handle Started, and becomes the reader, so that most
// connections need no other.
func (c *connection) begin() {
	deepen(0)
	handled := false
	defer func() {
		if !handled && c.first.Swap(firstGone) == firstReads {
			c.startReader(0, false)
		}
	}()
	c.mailbox.proceed()
	handled = true
	if c.first.Swap(firstGone) == firstReads {
		c.runReader(0)
	}
}

// deepen has the stack grow at once to what a request needs. Later it would grow at the bottom of the calls that handle one,
// and the runtime would have to adjust each frame.
//
//go:noinline
func deepen(i int) byte {
	var room [2 << 10]byte
	return room[i]
}

// What becomes of the first goroutine.
const (
	firstFree  int32 = iota // it can become the reader
	firstReads              // it will
	firstGone               // it cannot any more, or has
)

// startReader starts the goroutine that reads the connection's requests.
//
// After a rest, it reads nothing before there is something to read. A goroutine's stack, once it has grown, never becomes the
// smallest again: a connection at rest is better off with a new one.
func (c *connection) startReader(epoch int64, resting bool) {
	if c.first.CompareAndSwap(firstFree, firstReads) {
		return
	}
	c.stage.Tracker.Go(func() {
		if resting {
			c.await(epoch)
		}
		c.runReader(epoch)
	})
}

// runReader reads. Should a handler end the goroutine, by runtime.Goexit in an inline run, another takes its place: the read
// position belongs to the connection.
func (c *connection) runReader(epoch int64) {
	finished := false
	defer func() {
		if !finished {
			c.startReader(epoch, false)
		}
	}()
	ended := c.read(epoch)
	finished = true
	if ended {
		// Here the stack is low: what the session now does would make it grow otherwise.
		c.mailbox.PostLast(messages.InputEnded{})
	}
}

// replaceReader starts another reader in place of one that is stuck in a handler. When that comes back, it finds that the
// epoch has passed, and ends. Where somebody else reads already, nothing is to be done.
func (c *connection) replaceReader() {
	if !c.reading.TryLock() {
		return
	}
	epoch := c.epoch.Add(1)
	c.reading.Unlock()
	c.startReader(epoch, false)
}

// await waits for the end of a rest.
func (c *connection) await(epoch int64) {
	c.reading.Lock()
	if c.epoch.Load() == epoch {
		c.reader.Await()
	}
	c.reading.Unlock()
}

// read is the reader: it takes what the socket has in one read, puts it into the window as a burst, has the session admit
// it, hands it to the pool, and has the session write the replies. It stops reading while the window is full; TCP does
// the rest. It is true when the input has ended, of which the session is to be told.
func (c *connection) read(epoch int64) (ended bool) {
	var in transport.Input
	var turns turns
	budget := c.stage.Window // requests that a drain still takes
	now := int64(0)          // on the router's clock, if it is known
	for {
		if c.epoch.Load() != epoch {
			return false
		}
		limit := c.room()
		if limit <= 0 {
			c.park(func() bool { limit = c.room(); return c.orders.Load() == orderStop || limit > 0 })
		}
		order := c.orders.Load()
		if order == orderStop || (order == orderDrain && budget <= 0) {
			break
		}
		if order == orderDrain {
			limit = min(limit, budget)
		}
		received, waited, current, err := c.take(&in, limit, order == orderRead, epoch, now)
		now = 0
		if !current {
			return false
		}
		if err != nil {
			c.count(received)
			if errors.Is(err, transport.ErrAtRest) {
				c.mu.Lock()
				c.window.rest()
				c.mu.Unlock()
				c.startReader(epoch, true)
				return false
			}
			if !c.readFailed(err) {
				return true
			}
			continue
		}
		if order == orderDrain {
			budget -= len(in.Frames)
		}
		arrived, ended := c.dispatch(&in, received)
		turns.next(waited, arrived)
		now = ended
		if turns.over(len(in.Frames), c.stage.crowded()) {
			turns.left(c.stage.router.clock())
			runtime.Gosched()
		}
		if in.Err != nil {
			c.endInput(inputRefused, in.Err)
			return true
		}
	}
	c.endInput(inputDrained, nil)
	return true
}

// take reads the socket; now is what the router's clock says, or 0. current is false if another goroutine has taken the reading
// over; waited says that there was nothing to read at first. The caller counts the bytes that were received.
func (c *connection) take(in *transport.Input, limit int, wait bool, epoch, now int64) (received int64, waited, current bool, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.epoch.Load() != epoch {
		return 0, false, false, nil
	}
	if now > 0 {
		c.reader.At(c.stage.router.time(now))
	}
	before := c.reader.Received()
	err = c.reader.Read(in, limit, wait)
	return c.reader.Received() - before, c.reader.Waited(), true, err
}

func (c *connection) count(received int64) {
	if received > 0 {
		c.mu.Lock()
		c.total.bytesReceived += received
		c.mu.Unlock()
	}
}

// dispatch takes one burst through the session and the pool. It returns when that arrived, and when it was served, on the router's
// clock, or 0 for what it does not know.
func (c *connection) dispatch(in *transport.Input, received int64) (arrived, ended int64) {
	b := c.arrive(in, received)
	if b == nil {
		c.stage.reads.Put(in.Buf)
		return 0, 0
	}
	arrived = b.arrived
	c.arrival.Store(arrivalPending)
	if !c.mailbox.TryRun(messages.Arrived{}) || c.arrival.Load() == arrivalPending {
		c.mailbox.PostUserMessage(messages.Arrived{})
		// A session that has stopped will not answer, but it has closed the connection.
		c.park(func() bool { return c.arrival.Load() != arrivalPending || c.isClosed() })
		b.ready = c.stage.router.clock() // what the session took is not the handlers'
	}
	if !c.arrival.CompareAndSwap(arrivalAdmitted, arrivalNone) {
		return 0, 0 // the connection is closed, and what was in the window was counted
	}
	ended = c.stage.router.submit(b)
	c.wake()
	return arrived, ended
}

// readFailed handles what reading returned instead of requests. It is true if reading goes on.
func (c *connection) readFailed(err error) bool {
	timeout, timedOut := errors.AsType[*transport.TimeoutError](err)
	switch {
	case errors.Is(err, transport.ErrInterrupted):
		// Cleared before the order is looked at: an order that comes later interrupts again.
		c.socket.ClearInterrupt()
		return true
	case errors.Is(err, transport.ErrWouldBlock):
		c.endInput(inputDrained, nil)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		c.endInput(inputEOF, nil)
	case isRefusal(err):
		// Another reader has cut the stream up to there, and was stuck in a handler, or is gone. The refusal stands in its burst.
		c.endInput(inputRefused, err)
	case timedOut:
		if timeout.Kind == "idle" && c.busy() {
			return true // it is the peer who waits
		}
		c.endInput(inputTimeout, err)
	default:
		c.endInput(inputFailed, err)
	}
	return false
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*messages.Status](err)
	return ok
}

func (c *connection) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inflight > 0
}

func (c *connection) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// endInput notes how the input has ended; the session is told when the reader ends.
func (c *connection) endInput(how input, err error) {
	c.mu.Lock()
	if c.input == inputOpen {
		c.input = how
		switch {
		case c.closed: // what ended it was counted then
		case how == inputTimeout:
			c.total.timeouts++
		case how == inputFailed && transport.ExpectedOnClose(err):
			c.total.peerErrors++
		case how == inputFailed:
			c.total.socketErrors++
		}
	}
	c.mu.Unlock()
}
