package transport_test

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/transport"
)

// TestLingerSavesReplies closes a connection while the client still sends: every reply must arrive, and no reset.
func TestLingerSavesReplies(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		const sent, replied = 8 << 20, 256 << 10
		client, server := pair(t, network)
		conn := transport.NewConn(server)
		done := make(chan error, 1)
		go func() {
			if _, err := client.Write(make([]byte, sent)); err != nil {
				done <- err
				return
			}
			done <- client.(interface{ CloseWrite() error }).CloseWrite()
		}()
		reads := make(chan error, 1)
		var got int64
		start := make(chan struct{})
		go func() {
			<-start // the replies wait in the kernel until the server has closed
			var err error
			got, err = io.Copy(io.Discard, client)
			reads <- err
		}()
		if n := fillTo(conn, replied); n == 0 {
			t.Fatal("nothing replied")
		} else if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		} else if dropped, fin, err := conn.Discard(patience, make([]byte, 4096)); dropped != sent || !fin || err != nil {
			t.Fatalf("%s: dropped %d of %d, fin %v, %v", network, dropped, sent, fin, err)
		} else {
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			close(start)
			if err := await(t, done, "the client to send"); err != nil {
				t.Errorf("%s: sending: %v", network, err)
			}
			if err := await(t, reads, "the client to read"); err != nil || got != int64(n) {
				t.Errorf("%s: %d of %d bytes of replies came, %v", network, got, n, err)
			}
		}
	}
}

// fillTo writes at most size bytes of replies, as many as the socket takes without a reader.
func fillTo(conn *transport.Conn, size int) int {
	n, _ := conn.TryWrite(make([]byte, size))
	return n
}

// discarding runs f in a bubble with a pipe, of which a goroutine sends a byte a second for ever.
func discarding(t *testing.T, f func(t *testing.T, conn *transport.Conn, nc net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		go func() {
			for {
				if _, err := client.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		f(t, transport.NewConn(server), server)
		server.Close()
		client.Close()
		time.Sleep(2 * time.Second) // in the bubble: until the sender has noticed
	})
}

func TestDiscardIsBounded(t *testing.T) {
	discarding(t, func(t *testing.T, conn *transport.Conn, _ net.Conn) {
		start := time.Now()
		n, fin, err := conn.Discard(4500*time.Millisecond, nil)
		if n != 5 || fin || err != nil || time.Since(start) != 4500*time.Millisecond {
			t.Errorf("%d, %v, %v after %v", n, fin, err, time.Since(start))
		}
		if n, fin, err := conn.Discard(0, nil); n != 0 || fin || err != nil {
			t.Error(n, fin, err)
		}
	})
}

func TestDiscardIsInterrupted(t *testing.T) {
	discarding(t, func(t *testing.T, conn *transport.Conn, nc net.Conn) {
		start := time.Now()
		// What an interrupt leaves behind that was cleared before anybody saw it.
		time.AfterFunc(2500*time.Millisecond, func() { _ = nc.SetReadDeadline(time.Unix(1, 0)) })
		time.AfterFunc(4500*time.Millisecond, conn.Interrupt)
		n, fin, err := conn.Discard(time.Hour, nil)
		if n != 5 || fin || err != transport.ErrInterrupted || time.Since(start) != 4500*time.Millisecond {
			t.Errorf("%d, %v, %v after %v", n, fin, err, time.Since(start))
		}
		if _, _, err := conn.Discard(time.Hour, nil); err != transport.ErrInterrupted {
			t.Error(err)
		}
	})
}

func TestDiscardOfAClosedConnection(t *testing.T) {
	_, server := pair(t, "tcp")
	conn := transport.NewConn(server)
	conn.Close()
	if _, fin, err := conn.Discard(time.Hour, nil); fin || !transport.ExpectedOnClose(err) {
		t.Error(fin, err)
	}
}
