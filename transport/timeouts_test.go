package transport_test

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/transport"
)

// timed runs f in a bubble, with a reader of one end of a pipe whose other end f has. read tells what one Read that
// waits returned, and after which time.
func timed(t *testing.T, timeouts transport.Timeouts, f func(t *testing.T, client net.Conn, conn *transport.Conn, read func() (time.Duration, error))) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		conn := transport.NewConn(server)
		bufs := transport.NewBuffers(64)
		r := transport.NewReader(conn, transport.Delimited, 100, bufs, timeouts)
		f(t, client, conn, func() (time.Duration, error) {
			var in transport.Input
			start := time.Now()
			err := r.Read(&in, 10, true)
			bufs.Put(in.Buf)
			if bufs.Held() != 0 {
				t.Errorf("%d buffers held", bufs.Held())
			}
			return time.Since(start), err
		})
		client.Close()
		conn.Close()
		time.Sleep(2 * time.Second) // in the bubble: until the sender has noticed
	})
}

func wantTimeout(t *testing.T, took time.Duration, err error, kind string, after, want time.Duration) {
	t.Helper()
	timeout, ok := errors.AsType[*transport.TimeoutError](err)
	if !ok || timeout.Kind != kind || timeout.After != after || !timeout.Timeout() || took != want {
		t.Errorf("after %v: %v; want %v, %q after %v", took, err, want, kind, after)
	}
}

func TestFirstByteTimeout(t *testing.T) {
	timed(t, transport.Timeouts{FirstByte: 3 * time.Second, Idle: time.Minute, Frame: time.Second}, func(t *testing.T, client net.Conn, _ *transport.Conn, read func() (time.Duration, error)) {
		time.Sleep(time.Second) // counts from NewReader
		took, err := read()
		wantTimeout(t, took, err, "first byte", 3*time.Second, 2*time.Second)
	})
}

func TestIdleTimeout(t *testing.T) {
	timed(t, transport.Timeouts{FirstByte: time.Second, Idle: 10 * time.Second}, func(t *testing.T, client net.Conn, _ *transport.Conn, read func() (time.Duration, error)) {
		go func() {
			for range 5 {
				client.Write([]byte("\x01a"))
				time.Sleep(9 * time.Second)
			}
			client.Write([]byte("\x02a")) // half a frame: Idle does not count
			time.Sleep(time.Hour)
			client.Write([]byte("b"))
		}()
		for range 6 {
			if took, err := read(); err != nil {
				t.Fatalf("after %v: %v", took, err)
			}
		}
		time.Sleep(time.Hour) // nobody reads: no fault of the peer
		for range 3 {         // and it may be called again
			took, err := read()
			wantTimeout(t, took, err, "idle", 10*time.Second, 10*time.Second)
		}
	})
}

// TestFrameTimeout is the slow loris: a byte a second is never idle, and never whole in time.
func TestFrameTimeout(t *testing.T) {
	timed(t, transport.Timeouts{FirstByte: time.Second, Idle: 5 * time.Second, Frame: 10 * time.Second}, func(t *testing.T, client net.Conn, _ *transport.Conn, read func() (time.Duration, error)) {
		go func() {
			client.Write([]byte("\x01a\x32")) // a whole frame, and the first byte of one of 50
			for range 50 {
				time.Sleep(time.Second)
				if _, err := client.Write([]byte("x")); err != nil {
					return
				}
			}
		}()
		if took, err := read(); took != 0 || err != nil {
			t.Fatalf("after %v: %v", took, err)
		}
		took, err := read()
		wantTimeout(t, took, err, "frame", 10*time.Second, 10*time.Second)
	})
}

// TestFrameTimeoutCountsReadingOnly checks that time outside of Read does not count.
func TestFrameTimeoutCountsReadingOnly(t *testing.T) {
	timed(t, transport.Timeouts{Frame: 10 * time.Second}, func(t *testing.T, client net.Conn, conn *transport.Conn, read func() (time.Duration, error)) {
		go client.Write([]byte("\x01a\x05xx"))
		if _, err := read(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(4*time.Second, conn.Interrupt)
		if took, err := read(); err != transport.ErrInterrupted || took != 4*time.Second {
			t.Fatal(took, err)
		}
		time.Sleep(time.Hour)
		conn.ClearInterrupt()
		took, err := read()
		wantTimeout(t, took, err, "frame", 10*time.Second, 6*time.Second)
	})
}

// TestNoTimeouts checks that zero is none, also with the deadline of an interrupt left behind.
func TestNoTimeouts(t *testing.T) {
	timed(t, transport.Timeouts{}, func(t *testing.T, client net.Conn, conn *transport.Conn, read func() (time.Duration, error)) {
		conn.Interrupt()
		conn.ClearInterrupt()
		time.AfterFunc(1000*time.Hour, func() { client.Write([]byte("\x00")) })
		if took, err := read(); took != 1000*time.Hour || err != nil {
			t.Fatal(took, err)
		}
	})
}

func TestTryReadOfAPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		defer server.Close()
		r := transport.NewReader(transport.NewConn(server), transport.Delimited, 100, transport.NewBuffers(64), transport.Timeouts{Idle: time.Millisecond})
		var in transport.Input
		start := time.Now()
		if err := r.Read(&in, 1, false); err != transport.ErrWouldBlock || time.Since(start) > 10*time.Millisecond {
			t.Fatal(time.Since(start), err)
		}
		go client.Write([]byte("\x01a\x01b"))
		for _, want := range []error{nil, nil, transport.ErrWouldBlock} {
			if err := r.Read(&in, 1, false); err != want {
				t.Fatalf("%v, want %v", err, want)
			}
		}
	})
}

// TestTimeoutsOfASocket checks the path of a raw descriptor in real, short time.
func TestTimeoutsOfASocket(t *testing.T) {
	client, server := pair(t, "tcp")
	r := transport.NewReader(transport.NewConn(server), transport.Delimited, 100, transport.NewBuffers(64),
		transport.Timeouts{FirstByte: 10 * time.Millisecond, Idle: 20 * time.Millisecond, Frame: 30 * time.Millisecond})
	read := func(kind string, least time.Duration) {
		t.Helper()
		var in transport.Input
		start := time.Now()
		timeout, ok := errors.AsType[*transport.TimeoutError](r.Read(&in, 1, true))
		if !ok || timeout.Kind != kind || time.Since(start) < least {
			t.Fatalf("%v after %v, want %q after %v", timeout, time.Since(start), kind, least)
		}
	}
	read("first byte", 0)
	mustWrite(t, client, []byte("\x00"))
	var in transport.Input
	if err := r.Read(&in, 1, true); err != nil {
		t.Fatal(err)
	}
	read("idle", 20*time.Millisecond)
	read("idle", 20*time.Millisecond)
	mustWrite(t, client, []byte("\x05"))
	read("frame", 30*time.Millisecond)
}

// TestLateReadIsNoTimeout checks that what has come in time counts, however late it is read.
func TestLateReadIsNoTimeout(t *testing.T) {
	client, server := pair(t, "unix")
	r := transport.NewReader(transport.NewConn(server), transport.Delimited, 100, transport.NewBuffers(64), transport.Timeouts{FirstByte: 1})
	mustWrite(t, client, []byte("\x00"))
	var in transport.Input
	if err := r.Read(&in, 1, true); err != nil {
		t.Fatal(err)
	}
}

// counted counts the read deadlines that are set.
type counted struct {
	*net.UnixConn
	deadlines int
}

func (c *counted) SetReadDeadline(at time.Time) error {
	c.deadlines++
	return c.UnixConn.SetReadDeadline(at)
}

// TestDeadlinesAreLazy checks that a busy connection does not set a deadline for each read.
func TestDeadlinesAreLazy(t *testing.T) {
	client, server := pair(t, "unix")
	c := &counted{UnixConn: server.(*net.UnixConn)}
	r := transport.NewReader(transport.NewConn(c), transport.Delimited, 100, transport.NewBuffers(64), transport.Timeouts{Idle: time.Hour})
	var in transport.Input
	for range 1000 {
		mustWrite(t, client, []byte("\x01a"))
		if err := r.Read(&in, 1, true); err != nil {
			t.Fatal(err)
		}
	}
	if c.deadlines != 1 {
		t.Errorf("%d deadlines set", c.deadlines)
	}
}
