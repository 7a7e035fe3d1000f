package transport

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

var (
	// ErrWouldBlock says that the socket takes, or has, no more bytes now, or that the connection cannot tell.
	ErrWouldBlock = errors.New("transport: would block")
	// ErrInterrupted says that Conn.Interrupt ended the wait. Nothing is lost: what was read is still held.
	ErrInterrupted = errors.New("transport: interrupted")
	// ErrNoHalfClose says that the connection cannot be closed in one direction only.
	ErrNoHalfClose = errors.New("transport: the connection has no half-close")
)

// TimeoutError says that a peer was too slow.
type TimeoutError struct {
	Kind  string        // what was waited for: "first byte", "idle", "frame" or "write"
	After time.Duration // the time-out that passed
}

func (e *TimeoutError) Error() string {
	return "transport: " + e.Kind + " time-out after " + e.After.String()
}

// Timeout returns true, as a net.Error's does.
func (e *TimeoutError) Timeout() bool { return true }

// ExpectedOnClose tells whether err is what a peer that goes away, or a connection closed on this side, produces
// sooner or later. Such errors are counted, not logged.
func ExpectedOnClose(err error) bool {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed):
		return true
	}
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return false
	}
	switch errno {
	case syscall.ENOTCONN, syscall.EPIPE, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.ESHUTDOWN,
		syscall.ETIMEDOUT: // keep-alive probes or retransmissions that nobody answered, tcp(7)
		return true
	}
	return false
}

// TemporaryAccept tells whether accept may succeed later although it failed with err, so that the listener is to be
// kept: because descriptors or memory ran out, or because the error belongs to the connection and not to the listener.
// See accept(2), "ERRORS" and "Error handling": Linux passes pending network errors of the new socket on, and says to
// treat them as EAGAIN.
func TemporaryAccept(err error) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return false
	}
	switch errno {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, // out of descriptors or memory
		syscall.ECONNABORTED, syscall.EINTR, syscall.EAGAIN,
		syscall.EPERM, // "Firewall rules forbid connection."
		syscall.ENETDOWN, syscall.EPROTO, syscall.ENOPROTOOPT, syscall.EHOSTDOWN, syscall.ENONET, syscall.EHOSTUNREACH,
		syscall.EOPNOTSUPP, syscall.ENETUNREACH, // pending errors of the new socket
		syscall.ENOSR, syscall.ESOCKTNOSUPPORT, syscall.EPROTONOSUPPORT, syscall.ETIMEDOUT: // "Various Linux kernels"
		return true
	}
	return false
}
