package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/transport"
)

func listen(t *testing.T, s string, o transport.Options) *transport.Listener {
	t.Helper()
	u, err := transport.ParseURL(s)
	if err != nil {
		t.Fatal(err)
	}
	l, err := transport.Listen(t.Context(), u, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func dial(t *testing.T, u transport.URL) net.Conn {
	t.Helper()
	nc, err := net.Dial(u.Network, u.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

func TestListen(t *testing.T) {
	for _, s := range []string{"tcp://127.0.0.1:0?framing=length32", "unix://" + filepath.Join(t.TempDir(), "u.sock")} {
		l := listen(t, s, transport.Options{})
		if u := l.URL(); strings.HasSuffix(u.Address, ":0") || !strings.HasPrefix(u.String(), u.Network+"://"+u.Address) {
			t.Errorf("%s: %s", s, u)
		}
		client := dial(t, l.URL())
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		mustWrite(t, client, []byte("\x02ok"))
		var in transport.Input
		if err := transport.NewReader(conn, nil, 9, transport.NewBuffers(9), transport.Timeouts{}).Read(&in, 1, true); err != nil {
			t.Error(err)
		}

		// The address is taken: one line, that names the URL as it was given.
		_, err = transport.Listen(t.Context(), l.URL(), transport.Options{})
		if want := fmt.Sprintf("listen %s: address already in use", l.URL()); err == nil || err.Error() != want || !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%v, want %s", err, want)
		}

		accepted := make(chan error, 1)
		go func() { _, err := l.Accept(); accepted <- err }()
		if l.URL().Network == "unix" {
			if err := await(t, accepted, "the probe of the second Listen"); err != nil {
				t.Error(err)
			}
			go func() { _, err := l.Accept(); accepted <- err }()
		}
		for range 2 {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := await(t, accepted, "Accept to end"); err != net.ErrClosed {
			t.Error(err)
		}
		if _, err := l.Accept(); err != net.ErrClosed {
			t.Error(err)
		}
		if _, err := os.Stat(l.URL().Address); l.URL().Network == "unix" && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket file is still there: %v", err)
		}
	}
}

func TestStaleSocketIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "u.sock")
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false) // as a killed process leaves it
	old.Close()
	l := listen(t, "unix://"+path, transport.Options{})
	dial(t, l.URL())
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestOtherFilesStay checks that only a socket nobody answers on is removed.
func TestOtherFilesStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := transport.Listen(t.Context(), transport.URL{Network: "unix", Address: path}, transport.Options{})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestListenErrors(t *testing.T) {
	for _, u := range []transport.URL{
		{Network: "unix", Address: "/nonexistent/u.sock"},
		{Network: "tcp", Address: "192.0.2.1:7070"}, // TEST-NET-1, nobody's own
	} {
		_, err := transport.Listen(t.Context(), u, transport.Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "listen "+u.String()+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
	}
}

// option reads an integer option of a TCP socket.
func option(t *testing.T, nc syscall.Conn, level, name int) (value int) {
	t.Helper()
	raw, err := nc.SyscallConn()
	if err == nil {
		err = errors.Join(raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), level, name) }), err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// accepts hands out the server's end as the listener tuned it, so that a test can look at the descriptor.
type accepts struct {
	net.Listener
	last net.Conn
}

func (a *accepts) Accept() (net.Conn, error) {
	nc, err := a.Listener.Accept()
	a.last = nc
	return nc, err
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		options            transport.Options
		nodelay, keepalive bool
		idle               int
	}{
		{transport.Options{}, true, true, 15},
		{transport.Options{Delay: true, KeepAlive: -1, ReceiveBuffer: 20_000, SendBuffer: 30_000}, false, false, 0},
		{transport.Options{KeepAlive: 40 * time.Second}, true, true, 40},
	} {
		nl, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		tap := &accepts{Listener: nl}
		l := transport.NewListener(tap, transport.URL{Network: "tcp", Address: "127.0.0.1:0"}, c.options)
		dial(t, l.URL())
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		tcp := tap.last.(*net.TCPConn)
		if got := option(t, tcp, syscall.IPPROTO_TCP, syscall.TCP_NODELAY) != 0; got != c.nodelay {
			t.Errorf("%+v: TCP_NODELAY is %v", c.options, got)
		}
		if got := option(t, tcp, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) != 0; got != c.keepalive {
			t.Errorf("%+v: SO_KEEPALIVE is %v", c.options, got)
		}
		if got := option(t, tcp, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE); c.keepalive && got != c.idle {
			t.Errorf("%+v: TCP_KEEPIDLE is %d", c.options, got)
		}
		if c.options.ReceiveBuffer > 0 {
			rcv, snd := option(t, tcp, syscall.SOL_SOCKET, syscall.SO_RCVBUF), option(t, tcp, syscall.SOL_SOCKET, syscall.SO_SNDBUF)
			if rcv != 2*c.options.ReceiveBuffer || snd != 2*c.options.SendBuffer {
				t.Errorf("%+v: SO_RCVBUF %d, SO_SNDBUF %d", c.options, rcv, snd)
			}
		}
		conn.Close()
		l.Close()
	}
}

// TestListenBuffers checks, by how much an unread connection takes, that Listen sets what accepted sockets inherit.
func TestListenBuffers(t *testing.T) {
	took := func(o transport.Options) int {
		l := listen(t, "tcp://127.0.0.1:0", o)
		dial(t, l.URL())
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return fill(t, conn)
	}
	small, large := took(transport.Options{SendBuffer: 4 << 10}), took(transport.Options{SendBuffer: 512 << 10})
	if small >= large {
		t.Errorf("a small send buffer took %d bytes, a large one %d", small, large)
	}
}

// failing is a listener whose Accept fails with the errors of a script and then as in fails for ever, until it is closed.
type failing struct {
	script []error
	calls  []time.Time
	conns  []net.Conn
}

func (f *failing) Accept() (net.Conn, error) {
	f.calls = append(f.calls, time.Now())
	if len(f.script) > 0 {
		err := f.script[0]
		f.script = f.script[1:]
		if err != nil {
			return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", err)}
		}
	}
	a, b := net.Pipe()
	f.conns = append(f.conns, a, b)
	return a, nil
}

func (f *failing) Close() error {
	for _, c := range f.conns {
		c.Close()
	}
	return nil
}

func (f *failing) Addr() net.Addr { return &net.UnixAddr{Name: "fake", Net: "unix"} }

func TestAcceptBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failing{}
		for range 12 {
			f.script = append(f.script, syscall.EMFILE)
		}
		f.script = append(f.script, nil, syscall.ENFILE, nil)
		l := transport.NewListener(f, transport.URL{}, transport.Options{})
		for range 2 {
			if _, err := l.Accept(); err != nil {
				t.Fatal(err)
			}
		}
		want := []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000, 0, 5}
		for i, pause := range want {
			if got := f.calls[i+1].Sub(f.calls[i]); got != pause*time.Millisecond {
				t.Errorf("pause %d is %v, want %v", i, got, pause*time.Millisecond)
			}
		}
		if l.AcceptErrors() != 13 {
			t.Errorf("%d errors counted", l.AcceptErrors())
		}
		l.Close()
	})
}

func TestCloseEndsABackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failing{script: []error{syscall.EMFILE, syscall.EMFILE, syscall.EMFILE, syscall.EMFILE, syscall.EMFILE}}
		l := transport.NewListener(f, transport.URL{}, transport.Options{})
		start := time.Now()
		time.AfterFunc(100*time.Millisecond, func() { l.Close() })
		if _, err := l.Accept(); err != net.ErrClosed || time.Since(start) != 100*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestAcceptReturnsWhatLasts(t *testing.T) {
	f := &failing{script: []error{syscall.EINVAL}}
	l := transport.NewListener(f, transport.URL{Network: "tcp", Address: "h:1"}, transport.Options{})
	defer l.Close()
	if _, err := l.Accept(); !errors.Is(err, syscall.EINVAL) || err.Error() != "accept tcp://h:1: invalid argument" || l.AcceptErrors() != 0 {
		t.Error(err, l.AcceptErrors())
	}
}
