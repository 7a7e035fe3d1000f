package transport_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/transport"
)

// fill writes until the socket is full, and returns how much it took.
func fill(t *testing.T, conn *transport.Conn) (total int) {
	t.Helper()
	chunk := make([]byte, 1<<20)
	for {
		n, err := conn.TryWrite(chunk)
		total += n
		if err == transport.ErrWouldBlock {
			return total
		}
		if err != nil || n != len(chunk) {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
}

func TestTryWrite(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		client, server := pair(t, network)
		conn := transport.NewConn(server)
		if n, err := conn.TryWrite(nil); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		total := fill(t, conn)
		received := make(chan []byte)
		go func() { b, _ := io.ReadAll(client); received <- b }()
		// Write waits where TryWrite would not, and a time-out of an earlier Write is not in TryWrite's way.
		n, err := conn.Write(make([]byte, 1<<20), patience)
		if n != 1<<20 || err != nil {
			t.Fatal(n, err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if b := await(t, received, "the client"); len(b) != total+1<<20 {
			t.Errorf("%s: %d bytes came, want %d", network, len(b), total+1<<20)
		}
		if n, err := conn.TryWrite([]byte("x")); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %d, %v after Close", network, n, err)
		}
		if err := conn.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	}
}

func TestTryWriteToNobody(t *testing.T) {
	client, server := pair(t, "unix")
	client.Close()
	_, err := transport.NewConn(server).TryWrite([]byte("x"))
	if !errors.Is(err, syscall.EPIPE) || !transport.ExpectedOnClose(err) {
		t.Fatal(err)
	}
}

func TestTryWriteDoesNotAllocate(t *testing.T) {
	client, server := pair(t, "unix")
	conn := transport.NewConn(server)
	b := make([]byte, 100)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := conn.TryWrite(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, b); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestWriteTimeout(t *testing.T) {
	_, server := pair(t, "tcp")
	conn := transport.NewConn(server)
	fill(t, conn)
	_, err := conn.Write(make([]byte, 1<<24), 20*time.Millisecond)
	if timeout, ok := errors.AsType[*transport.TimeoutError](err); !ok || timeout.Kind != "write" || timeout.After != 20*time.Millisecond {
		t.Fatal(err)
	}
	if _, err := conn.TryWrite([]byte("x")); err != nil && err != transport.ErrWouldBlock {
		t.Fatalf("a deadline was left behind: %v", err)
	}
}

// TestPipe checks what a connection without a descriptor answers.
func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		conn := transport.NewConn(server)
		defer conn.Close()
		if n, err := conn.TryWrite([]byte("x")); n != 0 || err != transport.ErrWouldBlock {
			t.Error(n, err)
		}
		if err := conn.CloseWrite(); err != transport.ErrNoHalfClose {
			t.Error(err)
		}
		if n := conn.Unread(); n != 0 {
			t.Error(n)
		}
		start := time.Now()
		_, err := conn.Write([]byte("x"), time.Second)
		if _, ok := errors.AsType[*transport.TimeoutError](err); !ok || time.Since(start) != time.Second {
			t.Error(time.Since(start), err)
		}
		go io.Copy(io.Discard, client)
		if n, err := conn.Write([]byte("xyz"), 0); n != 3 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestUnreadAndAddresses(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		client, server := pair(t, network)
		conn := transport.NewConn(server)
		if conn.LocalAddr() != server.LocalAddr() || conn.RemoteAddr() != server.RemoteAddr() {
			t.Error(conn.LocalAddr(), conn.RemoteAddr())
		}
		if conn.Unread() != 0 {
			t.Errorf("%s: %d unread", network, conn.Unread())
		}
		mustWrite(t, client, []byte("\x04abcd\x04efgh"))
		r := transport.NewReader(conn, transport.Delimited, 9, transport.NewBuffers(5), transport.Timeouts{})
		var in transport.Input
		if err := r.Read(&in, 1, true); err != nil || conn.Unread() != 5 {
			t.Errorf("%s: %d unread, %v", network, conn.Unread(), err)
		}
		conn.Close()
		if conn.Unread() != 0 {
			t.Errorf("%s: %d unread after Close", network, conn.Unread())
		}
	}
}

// TestCloseWrite checks that a half-close ends one direction only.
func TestCloseWrite(t *testing.T) {
	client, server := pair(t, "tcp")
	conn := transport.NewConn(server)
	if _, err := conn.Write([]byte("bye"), 0); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(client); string(b) != "bye" || err != nil {
		t.Fatal(b, err)
	}
	mustWrite(t, client, []byte("\x02ok"))
	r := transport.NewReader(conn, nil, 9, transport.NewBuffers(64), transport.Timeouts{})
	var in transport.Input
	if err := r.Read(&in, 1, true); err != nil || !bytes.Equal(in.Buf[in.Frames[0].Start:in.Frames[0].End], []byte("ok")) {
		t.Fatal(err)
	}
}

// The write stage: one burst's replies, a try at a time, and what the socket does not take at once, waiting.
func BenchmarkWrite(b *testing.B) {
	client, server := pair(b, "tcp")
	conn := transport.NewConn(server)
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, client)
		read <- err
	}()
	burst := make([]byte, 128*37)
	b.ReportAllocs()
	b.SetBytes(int64(len(burst)))
	for b.Loop() {
		n, err := conn.TryWrite(burst)
		if err == transport.ErrWouldBlock {
			_, err = conn.Write(burst[n:], patience)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	conn.Close()
	if err := <-read; err != nil {
		b.Error(err)
	}
}
