package understudy_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// A client that never reads fills its own window and nobody else's; in the end the write time-out closes it.
func TestClientThatNeverReads(t *testing.T) {
	h := serve(t, understudy.Config{WriteTimeout: 500 * time.Millisecond, SendBuffer: 16 << 10})
	deaf, other := h.dial(), h.dial()
	request := deaf.frame(echoRequest(string(bytes.Repeat([]byte("x"), 10_000))))
	stuck := make(chan struct{})
	go func() {
		defer close(stuck)
		for {
			if _, err := deaf.Write(request); err != nil {
				return
			}
		}
	}()
	for i := range 1000 {
		m, w := nth(1, i)
		other.send(other.frame(m)...)
		other.want(w)
	}
	<-stuck // the server has given up, and the writer hears of it
	until(t, "the connection is gone", func() bool { return h.Counts().Connections == 1 })
	c := h.Counts()
	if c.Timeouts != 1 || c.Dropped == 0 {
		t.Errorf("counts: %+v", c)
	}
	if c.Decoded > 1000+understudy.DefaultWindow {
		t.Errorf("%d requests were taken from a client that does not read", c.Decoded-1000)
	}
}

// A reset in mid-request ends that connection only.
func TestReset(t *testing.T) {
	h := serve(t, understudy.Config{Faults: []string{"slow worker/* delay=20ms"}})
	other := h.dial()
	for i := range 5 {
		p := h.dial()
		p.send(p.frame(addRequest(1, 1))...)
		p.send(p.frame(echoRequest("cut short"))[:4]...)
		p.Conn.(*net.TCPConn).SetLinger(0)
		p.Close()
		m, w := nth(1, i)
		other.send(other.frame(m)...)
		other.want(w)
	}
	until(t, "the connections are gone", func() bool { return h.Counts().Connections == 1 })
	if c := h.Counts(); c.PeerErrors == 0 || c.SocketErrors != 0 {
		t.Errorf("counts: %+v", c)
	}
}

// Five thousand connections at once are all served.
func TestFiveThousandConnections(t *testing.T) {
	n := 5000
	if raceEnabled {
		n = 500
	}
	h := serve(t, understudy.Config{})
	peers := make([]*peer, n)
	for i := range peers {
		peers[i] = h.dial()
	}
	for round := range 2 {
		for i, p := range peers {
			m, _ := nth(i, round)
			p.send(p.frame(m)...)
		}
		for i, p := range peers {
			_, w := nth(i, round)
			p.want(w)
		}
	}
	if c := h.Counts(); c.Connections != int64(n) || c.Accepted != int64(n) {
		t.Errorf("counts: %+v", c)
	}
	for _, p := range peers {
		p.closeWrite()
	}
	for _, p := range peers {
		p.wantEnd()
		p.Close()
	}
	if c := h.stop().Counts; c.Answered != int64(2*n) || c.PeerErrors != 0 {
		t.Errorf("counts: %+v", c)
	}
}

// One connection too many is told so, and closed; when one has gone, the next is served.
func TestConnectionLimit(t *testing.T) {
	h := serve(t, understudy.Config{MaxConnections: 2})
	a, b := h.dial(), h.dial()
	for _, p := range []*peer{a, b} {
		p.send(p.frame(addRequest(2, 40))...)
		p.want(addReply(42))
	}
	c := h.dial()
	c.send(c.frame(addRequest(2, 40))...)
	m, err := c.next()
	if err != nil || m.GetError().GetCode() != int32(messages.ResourceExhausted) || !m.GetError().GetNotStarted() || m.GetError().GetRetryAfterMs() == 0 {
		t.Fatalf("got %v, %v", m, err)
	}
	c.wantEnd()
	c.Close()
	a.Close()
	until(t, "a place is free", func() bool { return h.Counts().Connections == 1 })
	d := h.dial()
	d.send(d.frame(addRequest(2, 40))...)
	d.want(addReply(42))
	if got := h.Counts(); got.Refused != 1 || got.Accepted != 3 {
		t.Errorf("counts: %+v", got)
	}
}

// Without file descriptors for a while, live connections are served, and those that waited are served afterwards.
func TestOutOfDescriptors(t *testing.T) {
	h := serve(t, understudy.Config{})
	before := h.dial()
	before.send(before.frame(addRequest(1, 1))...)
	before.want(addReply(2))

	// The client's socket needs a descriptor too: it is made first, and the ones that are left are used up.
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	low := limit
	low.Cur = uint64(fd) + 1
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	restore := sync.OnceFunc(func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) })
	defer restore()
	var hoard []int
	defer func() {
		for _, f := range hoard {
			syscall.Close(f)
		}
	}()
	for {
		f, err := syscall.Dup(fd)
		if err != nil {
			break
		}
		hoard = append(hoard, f)
	}
	u, err := net.ResolveTCPAddr("tcp", address(h))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: u.Port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	until(t, "accept has failed", func() bool { return h.AcceptErrors() > 0 })
	for i := range 100 {
		m, w := nth(0, i)
		before.send(before.frame(m)...)
		before.want(w)
	}
	restore()
	request := before.frame(addRequest(2, 40))
	if _, err := syscall.Write(fd, request); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, 64)
	n, err := syscall.Read(fd, reply)
	if want := frame(before.framing, addReply(42)); err != nil || !bytes.Equal(reply[:n], want) {
		t.Fatalf("got % x, %v, want % x", reply[:n], err, want)
	}
}

// Errors that are expected when a peer goes away in mid-reply are counted.
func TestPeerGoesAwayWhileWriting(t *testing.T) {
	h := serve(t, understudy.Config{SendBuffer: 16 << 10})
	p := h.dial()
	request := p.frame(echoRequest(string(bytes.Repeat([]byte("x"), 100_000))))
	for range 20 {
		p.send(request...)
	}
	if _, err := io.ReadFull(p, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	p.Close() // with unread input: the kernel sends a reset
	until(t, "the connection is gone", func() bool { return h.Counts().Connections == 0 })
	if c := h.Counts(); c.PeerErrors != 1 || c.SocketErrors != 0 || c.Dropped == 0 {
		t.Errorf("counts: %+v", c)
	}
}
