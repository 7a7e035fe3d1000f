package burst

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// acceptPause is how long accepting rests when the process has no descriptor left.
const acceptPause = 10 * time.Millisecond

// Serve accepts connections from l until it is closed, and gives each to serve on a goroutine of its own, which ends with
// the connection. serve need not close it. Serve returns nil once l is closed; the connections that there are go on.
func Serve(l net.Listener, serve func(net.Conn)) error {
	for {
		nc, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
			time.Sleep(acceptPause)
			continue
		case err != nil:
			return err
		}
		go func() {
			defer nc.Close()
			serve(nc)
		}()
	}
}

// Handler answers the requests of one connection.
type Handler interface {
	// Append appends the reply to one request to out, its header included. request is only valid during the call.
	Append(out, request []byte) []byte
	// Refuse appends the reply that says why a stream cannot be cut any further.
	Refuse(out []byte, err error) []byte
}

// Answer serves one connection: it takes what one read brings, has every whole request of it answered, and writes all of
// their replies at once. It returns when the peer has ended, or does not read for ever, or sends what cannot be cut.
func Answer(nc net.Conn, h Handler) {
	in := newInput()
	var out []byte
	for {
		n, err := nc.Read(in.room())
		in.fill(n)
		for {
			request, cutErr := in.next()
			if cutErr != nil {
				_, _ = nc.Write(h.Refuse(out, cutErr)) // the connection ends, whether that arrives or not
				return
			}
			if request == nil {
				break
			}
			out = h.Append(out, request)
			if len(out) >= writeAt {
				if _, err := nc.Write(out); err != nil {
					return
				}
				out = out[:0]
			}
		}
		if len(out) > 0 {
			if _, err := nc.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
		if err != nil {
			return // io.EOF, or a connection that broke: either way it has got its replies
		}
	}
}

// Copy serves one connection by sending back whatever comes.
func Copy(nc net.Conn) {
	in := newInput()
	for {
		n, err := nc.Read(in.room())
		in.fill(n)
		if n > 0 {
			if _, err := nc.Write(in.all()); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
