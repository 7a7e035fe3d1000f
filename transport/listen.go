package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// probeTimeout is how long a unix socket that exists is asked whether somebody listens on it.
const probeTimeout = time.Second

// Listen listens on u. The error is one line, such as "listen tcp://127.0.0.1:80: address already in use", and matches
// its cause with errors.Is. ctx bounds the resolution of a host name, not the listener's life.
//
// The file of a unix socket that nobody answers on, left by a process that was killed, is removed first. Two processes
// that find the same stale file at the same moment can remove each other's: start one at a time.
func Listen(ctx context.Context, u URL, o Options) (*Listener, error) {
	if u.Network == "unix" {
		if err := removeStale(ctx, u.Address); err != nil {
			return nil, fmt.Errorf("listen %s: %w", u, bareCause(err))
		}
	}
	config := net.ListenConfig{
		KeepAlive: -1, // net need not set on each connection what it inherits
		Control: func(network, _ string, raw syscall.RawConn) error {
			return errors.Join(setBuffers(raw, o), setKeepAlive(network, raw, o.KeepAlive))
		},
	}
	config.SetMultipathTCP(false) // SIOCINQ and the socket options are those of plain TCP
	nl, err := config.Listen(ctx, u.Network, u.Address)
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", u, bareCause(err))
	}
	return NewListener(nl, u, Options{Delay: o.Delay}), nil
}

// setBuffers sets what accepted sockets inherit. SO_RCVBUF must be set before listen(2) to count for window scaling, tcp(7).
func setBuffers(raw syscall.RawConn, o Options) error {
	return errors.Join(
		setOption(raw, "SO_RCVBUF", syscall.SOL_SOCKET, syscall.SO_RCVBUF, o.ReceiveBuffer),
		setOption(raw, "SO_SNDBUF", syscall.SOL_SOCKET, syscall.SO_SNDBUF, o.SendBuffer),
	)
}

// What package net sets: the default of its idle time and of its interval, and how many probes go unanswered.
const (
	keepAlivePeriod = 15 * time.Second
	keepAliveCount  = 9
)

// setKeepAlive sets on the listening socket, once, what package net would set on each connection with four system calls: Linux
// gives it to accepted sockets as well.
func setKeepAlive(network string, raw syscall.RawConn, idle time.Duration) error {
	if !strings.HasPrefix(network, "tcp") || idle < 0 {
		return nil
	}
	if idle == 0 {
		idle = keepAlivePeriod
	}
	return errors.Join(
		setOption(raw, "SO_KEEPALIVE", syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1),
		setOption(raw, "TCP_KEEPIDLE", syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, seconds(idle)),
		setOption(raw, "TCP_KEEPINTVL", syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, seconds(keepAlivePeriod)),
		setOption(raw, "TCP_KEEPCNT", syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, keepAliveCount),
	)
}

// seconds rounds up, as the kernel's unit is a second.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// setOption sets an option of a socket; a value of 0 leaves it to the kernel.
func setOption(raw syscall.RawConn, name string, level, option, value int) error {
	if value <= 0 {
		return nil
	}
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = os.NewSyscallError(name, syscall.SetsockoptInt(int(fd), level, option, value))
	})
	return errors.Join(err, failed)
}

// removeStale removes the socket file at path if connecting to it is refused: nobody has it open. It returns EADDRINUSE
// if somebody answers. Whatever else is at path is left for bind(2) to complain about.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return nil
	}
	dialer := net.Dialer{Timeout: probeTimeout}
	nc, err := dialer.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = nc.Close()
		return syscall.EADDRINUSE
	case errors.Is(err, syscall.ECONNREFUSED):
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// bareCause strips the wrappings of net and os, which repeat the operation and the address.
func bareCause(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		err = e.Err
	}
	return err
}
