package transport

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// acceptNow takes a connection that waits in the kernel, if there is one, without waiting: nil and no error if there is
// none, or if the listener has no descriptor. Accept with a deadline cannot tell: when the deadline has passed it does not
// look, and on a busy machine it can pass before the look.
func acceptNow(l net.Listener) (net.Conn, error) {
	sc, ok := l.(syscall.Conn)
	if !ok {
		return nil, nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, err
	}
	accepted, failed := -1, error(nil)
	err = raw.Control(func(fd uintptr) {
		for {
			accepted, _, failed = syscall.Accept4(int(fd), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
			if !errors.Is(failed, syscall.EINTR) && !errors.Is(failed, syscall.ECONNABORTED) {
				return
			}
		}
	})
	if err != nil || errors.Is(failed, syscall.EAGAIN) {
		return nil, err
	}
	if failed != nil {
		return nil, os.NewSyscallError("accept4", failed)
	}
	file := os.NewFile(uintptr(accepted), "")
	defer func() { _ = file.Close() }() // FileConn has a descriptor of its own
	return net.FileConn(file)
}
