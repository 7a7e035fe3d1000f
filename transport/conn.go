package transport

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Conn is a connection. At most one goroutine reads from it (with a [Reader] or Discard) and at most one writes to it
// at any time; both may at the same time. Every other method may be called from any goroutine.
type Conn struct {
	nc     net.Conn
	raw    syscall.RawConn // nil if the connection has no raw descriptor
	closed atomic.Bool

	interrupted atomic.Bool
	armed       int64 // the read deadline last set by the reading goroutine, by ticks, 0 if none; see interrupt.go

	// What TryWrite hands to its callback and gets back. The callback is made once, as a closure would be allocated.
	tryWrite func(fd uintptr) bool
	out      []byte
	outN     int
	outErr   syscall.Errno
}

// NewConn wraps nc, which may be any net.Conn whose deadlines work. If nc offers its descriptor (syscall.Conn) that is
// used past nc's own Read and Write: a wrapper that changes the bytes must not offer it. Of TLS, complete the handshake
// first: a deadline or an interrupt that strikes a handshake breaks the connection.
func NewConn(nc net.Conn) *Conn {
	c := &Conn{nc: nc}
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw = raw
			c.tryWrite = c.writeOnce
		}
	}
	return c
}

// RemoteAddr returns the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// LocalAddr returns this side's address.
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// TryWrite writes what the socket takes at once, and never blocks. n < len(b) always comes with an error: ErrWouldBlock
// if the socket is full, else the socket's own. A connection without a raw descriptor takes nothing, and returns
// ErrWouldBlock: use Write there. It does not allocate. Only the writing goroutine.
func (c *Conn) TryWrite(b []byte) (n int, err error) {
	if c.raw == nil {
		return 0, ErrWouldBlock
	}
	if len(b) == 0 {
		return 0, nil
	}
	c.out, c.outN, c.outErr = b, 0, 0
	err = c.raw.Write(c.tryWrite)
	c.out = nil
	switch {
	case err != nil:
		return 0, err
	case c.outErr == syscall.EAGAIN:
		return 0, ErrWouldBlock
	case c.outErr != 0:
		return 0, os.NewSyscallError("write", c.outErr)
	case c.outN < len(b):
		return c.outN, ErrWouldBlock
	}
	return c.outN, nil
}

// writeOnce is TryWrite's callback: one write(2). It always returns true, so that RawConn.Write does not wait.
func (c *Conn) writeOnce(fd uintptr) bool {
	for {
		n, errno := writeNow(fd, c.out)
		switch errno {
		case 0:
			c.outN = n
		case syscall.EINTR:
			continue
		default:
			c.outErr = errno
		}
		return true
	}
}

// Write writes all of b, and blocks for at most timeout; 0 is no limit. When it passes the error is a *TimeoutError of
// kind "write", and n bytes were written; over TLS, nothing can be written after that. Only the writing goroutine.
func (c *Conn) Write(b []byte, timeout time.Duration) (n int, err error) {
	if timeout <= 0 {
		return c.nc.Write(b)
	}
	if err := c.nc.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return 0, err
	}
	n, err = c.nc.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &TimeoutError{Kind: "write", After: timeout}
	}
	// A deadline left behind would fail a later TryWrite. That this can fail on a closed connection does not matter.
	_ = c.nc.SetWriteDeadline(time.Time{})
	return n, err
}

// CloseWrite says to the peer that nothing more will be written (FIN), and leaves reading open. It returns
// ErrNoHalfClose if the connection has no such thing.
func (c *Conn) CloseWrite() error {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return ErrNoHalfClose
}

// Close closes the connection; Read, Discard and Write return soon, with an error. A second call does nothing and
// returns nil. With input unread, TCP answers the peer with RST, which can destroy replies under way: see Discard.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	return c.nc.Close()
}

// Unread returns how many bytes the kernel holds that were not read yet (SIOCINQ, tcp(7)), 0 where it cannot tell.
func (c *Conn) Unread() int {
	if c.raw == nil {
		return 0
	}
	var n int32
	var errno syscall.Errno
	err := c.raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&n)))
	})
	if err != nil || errno != 0 {
		return 0
	}
	return int(n)
}
