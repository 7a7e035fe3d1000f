package transport

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"
)

// TestListenKeepAlive checks that the connections of Listen's listeners have the keep-alive that package net gives them.
func TestListenKeepAlive(t *testing.T) {
	for _, idle := range []time.Duration{0, 1500 * time.Millisecond, 40 * time.Second, -1} {
		ours, err := Listen(context.Background(), URL{Network: "tcp", Address: "127.0.0.1:0"}, Options{KeepAlive: idle})
		if err != nil {
			t.Fatal(err)
		}
		config := net.ListenConfig{KeepAlive: idle}
		theirs, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		got, want := acceptedKeepAlive(t, ours.nl), acceptedKeepAlive(t, theirs)
		if got != want {
			t.Errorf("keep-alive %v: %v, and package net sets %v", idle, got, want)
		}
		_ = ours.Close()
		_ = theirs.Close()
	}
}

// acceptedKeepAlive returns what a connection that l accepts has of SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT.
func acceptedKeepAlive(t *testing.T, l net.Listener) (options [4]int) {
	t.Helper()
	client, err := new(net.Dialer).DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		for i, o := range [4][2]int{
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT},
		} {
			if options[i], failed = syscall.GetsockoptInt(int(fd), o[0], o[1]); failed != nil {
				return
			}
		}
	})
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return options
}
