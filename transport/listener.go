package transport

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// The pauses after a temporary error of accept: the first, and the longest; each is twice the one before it.
const (
	firstAcceptPause = 5 * time.Millisecond
	maxAcceptPause   = time.Second
)

// Options are what is set on a listener's connections. The zero value is the usual choice.
type Options struct {
	KeepAlive     time.Duration // silence before the first TCP keep-alive probe; 0 is net's default of 15 s, less than 0 is none
	Delay         bool          // true turns TCP_NODELAY off, so that the kernel collects small writes (Nagle)
	ReceiveBuffer int           // SO_RCVBUF in bytes, which the kernel doubles, socket(7); 0 is the kernel's choice
	SendBuffer    int           // SO_SNDBUF in bytes, as above
}

// Listener is a listening socket. Any goroutine may call its methods.
type Listener struct {
	nl      net.Listener
	url     URL
	options Options // still to be set on each connection
	errors  atomic.Int64
	closing atomic.Bool
	closed  chan struct{}

	finish   sync.Once
	finished chan struct{} // closed by Finish
	last     time.Time     // when Accept ends at the latest; set before finished is closed
}

// NewListener wraps a listener that exists already. u is what URL returns; its address is replaced by that of l if it is
// one of tcp. The options are set on each connection that l accepts, where they apply to it.
func NewListener(l net.Listener, u URL, o Options) *Listener {
	if tcp, ok := l.Addr().(*net.TCPAddr); ok && u.Network == "tcp" {
		u.Address = tcp.String()
	}
	return &Listener{nl: l, url: u, options: o, closed: make(chan struct{}), finished: make(chan struct{})}
}

// Accept waits for the next connection. Errors that may pass (see TemporaryAccept) are waited out, with pauses of 5 ms
// doubling to 1 s, and counted. After Close it returns net.ErrClosed, at once even during a pause; after Finish, once no
// connection waits. Any other error is returned, and names the URL.
func (l *Listener) Accept() (*Conn, error) {
	for pause := firstAcceptPause; ; pause = min(2*pause, maxAcceptPause) {
		l.lookAhead()
		nc, err := l.nl.Accept()
		if err == nil {
			l.tune(nc)
			return NewConn(nc), nil
		}
		if l.closing.Load() {
			return nil, net.ErrClosed
		}
		if l.finishing() {
			if nc, err := acceptNow(l.nl); nc != nil && err == nil && time.Now().Before(l.last) {
				l.tune(nc)
				return NewConn(nc), nil
			} else if nc != nil {
				_ = nc.Close()
			}
			// None waits, or none can be taken in any more.
			_ = l.Close()
			return nil, net.ErrClosed
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if !TemporaryAccept(err) {
			return nil, fmt.Errorf("accept %s: %w", l.url, bareCause(err))
		}
		l.errors.Add(1)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-l.finished:
			timer.Stop()
		case <-l.closed:
			timer.Stop()
			return nil, net.ErrClosed
		}
	}
}

// How Finish finds out that no connection waits: accept finds none for so long. And how long it looks at all.
const (
	finishPause = 2 * time.Millisecond
	finishBound = 500 * time.Millisecond
)

// Finish ends the listening without refusing anyone who has connected already: Accept goes on to return the connections
// that wait in the kernel, and then closes the listener and returns net.ErrClosed. (Close resets them.) It takes at most
// half a second, however many go on connecting. Finish itself does not wait; a second call does nothing.
func (l *Listener) Finish() {
	l.finish.Do(func() {
		l.last = time.Now().Add(finishBound)
		close(l.finished)
		if !l.setDeadline(time.Now().Add(finishPause)) {
			_ = l.Close()
		}
	})
}

func (l *Listener) finishing() bool {
	select {
	case <-l.finished:
		return true
	default:
		return false
	}
}

// lookAhead bounds the next accept, once the listener finishes. If Finish comes right after the look, its own deadline
// bounds that accept.
func (l *Listener) lookAhead() {
	if !l.finishing() {
		return
	}
	next := time.Now().Add(finishPause)
	if next.After(l.last) {
		next = l.last
	}
	l.setDeadline(next)
}

// setDeadline is false for a listener that has no deadlines.
func (l *Listener) setDeadline(t time.Time) bool {
	d, ok := l.nl.(interface{ SetDeadline(time.Time) error })
	return ok && d.SetDeadline(t) == nil
}

// tune sets the options on a new connection. An error means that the peer has gone already, which the first read will
// tell.
func (l *Listener) tune(nc net.Conn) {
	if tcp, ok := nc.(interface {
		SetKeepAlive(bool) error
		SetKeepAlivePeriod(time.Duration) error
		SetNoDelay(bool) error
	}); ok {
		if l.options.KeepAlive < 0 {
			_ = tcp.SetKeepAlive(false)
		} else if l.options.KeepAlive > 0 {
			_ = tcp.SetKeepAlive(true)
			_ = tcp.SetKeepAlivePeriod(l.options.KeepAlive)
		}
		if l.options.Delay {
			_ = tcp.SetNoDelay(false)
		}
	}
	if buffered, ok := nc.(interface {
		SetReadBuffer(int) error
		SetWriteBuffer(int) error
	}); ok {
		if l.options.ReceiveBuffer > 0 {
			_ = buffered.SetReadBuffer(l.options.ReceiveBuffer)
		}
		if l.options.SendBuffer > 0 {
			_ = buffered.SetWriteBuffer(l.options.SendBuffer)
		}
	}
}

// URL returns where the listener listens, with the actual port.
func (l *Listener) URL() URL { return l.url }

// AcceptErrors returns how many temporary errors Accept has waited out.
func (l *Listener) AcceptErrors() int64 { return l.errors.Load() }

// Close stops listening, and removes the file of a unix socket. A second call does nothing and returns nil.
func (l *Listener) Close() error {
	if l.closing.Swap(true) {
		return nil
	}
	close(l.closed)
	return l.nl.Close()
}
