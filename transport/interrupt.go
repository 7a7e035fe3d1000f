package transport

import "time"

// past is a read deadline that ends a read at once.
var past = time.Unix(1, 0)

// Interrupt makes a Reader.Read or a Discard that waits return ErrInterrupted soon, and every later one at once, until
// ClearInterrupt. Any goroutine.
//
// No interrupt is lost: the flag is set before the deadline, and the reading goroutine looks at the flag after each
// deadline that it sets itself. So either it sees the flag, or this deadline is set after its own.
func (c *Conn) Interrupt() {
	c.interrupted.Store(true)
	_ = c.nc.SetReadDeadline(past) // fails on a closed connection only, where reads return anyway
}

// ClearInterrupt lets reads wait again. The deadline that Interrupt left behind ends the next wait without cause; the
// reading goroutine notices, and sets its own again. Any goroutine.
func (c *Conn) ClearInterrupt() { c.interrupted.Store(false) }

// Interrupted tells whether Interrupt was called since the last ClearInterrupt. Any goroutine.
func (c *Conn) Interrupted() bool { return c.interrupted.Load() }

// ticks is a moment as a number: it takes a third of a time.Time, and is good for comparisons. The zero time is 0.
func ticks(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return int64(at.Sub(started))
}

// started is when ticks begin.
var started = time.Now()

// arm makes sure that a read ends at the time at, or before; a zero at asks for nothing. A deadline that is armed and
// earlier stays: when it fires the reader finds that nothing is due, and calls setReadDeadline. So a busy connection
// sets its deadline once in a time-out, not once a read. Only the reading goroutine.
func (c *Conn) arm(at time.Time) error {
	if at.IsZero() || c.armed != 0 && ticks(at) >= c.armed {
		return nil
	}
	return c.setReadDeadline(at)
}

// setReadDeadline sets the read deadline to at; zero is none. It returns ErrInterrupted if it may have undone the
// deadline of an Interrupt. Only the reading goroutine.
func (c *Conn) setReadDeadline(at time.Time) error {
	if err := c.nc.SetReadDeadline(at); err != nil {
		return err
	}
	c.armed = ticks(at)
	if c.interrupted.Load() {
		return ErrInterrupted
	}
	return nil
}
