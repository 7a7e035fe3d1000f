package transport_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/transport"
)

// TestInterruptIsNeverLost lets an interrupt race with a reader that arms its deadline: the reader must return.
func TestInterruptIsNeverLost(t *testing.T) {
	for name, ends := range map[string]func() (net.Conn, net.Conn){
		"tcp": func() (net.Conn, net.Conn) { return pair(t, "tcp") },
		"pipe": func() (net.Conn, net.Conn) {
			a, b := net.Pipe()
			t.Cleanup(func() { a.Close(); b.Close() })
			return a, b
		},
	} {
		_, server := ends()
		bufs := transport.NewBuffers(64)
		for i := range 5000 {
			conn := transport.NewConn(server) // a new one arms anew
			r := transport.NewReader(conn, nil, 9, bufs, transport.Timeouts{Idle: time.Hour})
			read := make(chan error, 1)
			begin := make(chan struct{})
			go func() {
				var in transport.Input
				<-begin
				read <- r.Read(&in, 1, true)
			}()
			close(begin)
			conn.Interrupt()
			if err := await(t, read, "an interrupted Read"); err != transport.ErrInterrupted {
				t.Fatalf("%s, %d: %v", name, i, err)
			}
			var in transport.Input
			if err := r.Read(&in, 1, true); err != transport.ErrInterrupted || !conn.Interrupted() {
				t.Fatalf("%s, %d: then %v", name, i, err)
			}
		}
	}
}

// undone is a pipe on which a deadline that is being set comes second after all: an interrupt sets its own just before.
type undone struct {
	net.Conn
	interrupt func()
}

func (u *undone) SetReadDeadline(at time.Time) error {
	if interrupt := u.interrupt; interrupt != nil {
		u.interrupt = nil
		interrupt()
	}
	return u.Conn.SetReadDeadline(at)
}

// TestInterruptBeforeADeadline is the narrowest case of the race above, made to happen: the interrupt comes after the
// reader has looked at its flag, and the reader's own deadline then undoes that of the interrupt.
func TestInterruptBeforeADeadline(t *testing.T) {
	for name, read := range map[string]func(*transport.Conn) error{
		"Read": func(conn *transport.Conn) error {
			r := transport.NewReader(conn, nil, 9, transport.NewBuffers(64), transport.Timeouts{Idle: time.Hour})
			return r.Read(new(transport.Input), 1, true)
		},
		"Discard": func(conn *transport.Conn) error { _, _, err := conn.Discard(time.Hour, nil); return err },
	} {
		synctest.Test(t, func(t *testing.T) {
			client, server := net.Pipe()
			defer client.Close()
			defer server.Close()
			u := &undone{Conn: server}
			conn := transport.NewConn(u)
			u.interrupt = conn.Interrupt
			start := time.Now()
			if err := read(conn); err != transport.ErrInterrupted || time.Since(start) != 0 {
				t.Errorf("%s: %v after %v", name, err, time.Since(start))
			}
		})
	}
}

// TestInterruptLosesNothing interrupts between and inside of frames; what was read before is there afterwards.
func TestInterruptLosesNothing(t *testing.T) {
	client, server := pair(t, "unix")
	conn := transport.NewConn(server)
	bufs := transport.NewBuffers(64)
	c := &collector{t: t, reader: transport.NewReader(conn, nil, 9, bufs, transport.Timeouts{Idle: time.Hour}), bufs: bufs}
	for _, step := range []struct {
		send string
		want error
	}{{"\x01a\x01b\x02", nil}, {"", nil}, {"c", transport.ErrWouldBlock}, {"d", nil}} {
		mustWrite(t, client, []byte(step.send))
		conn.Interrupt()
		for _, wait := range []bool{true, false} {
			if err := c.read(1, wait); err != transport.ErrInterrupted {
				t.Fatalf("%q: %v", step.send, err)
			}
		}
		conn.ClearInterrupt()
		if err := c.read(1, false); err != step.want {
			t.Fatalf("%q: %v, want %v", step.send, err, step.want)
		}
	}
	c.check([][]byte{[]byte("a"), []byte("b"), []byte("cd")})
}
