package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
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
		KeepAlive: o.KeepAlive,
		// Accepted sockets inherit these. SO_RCVBUF must be set before listen(2) to count for window scaling, tcp(7).
		Control: func(_, _ string, raw syscall.RawConn) error { return setBuffers(raw, o) },
	}
	config.SetMultipathTCP(false) // SIOCINQ and the socket options are those of plain TCP
	nl, err := config.Listen(ctx, u.Network, u.Address)
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", u, bareCause(err))
	}
	return NewListener(nl, u, Options{Delay: o.Delay}), nil
}

func setBuffers(raw syscall.RawConn, o Options) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		if o.ReceiveBuffer > 0 {
			failed = os.NewSyscallError("SO_RCVBUF", syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, o.ReceiveBuffer))
		}
		if o.SendBuffer > 0 && failed == nil {
			failed = os.NewSyscallError("SO_SNDBUF", syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, o.SendBuffer))
		}
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
