package load

import (
	"errors"
	"os"
	"syscall"
)

// sendLast sends what a connection may still send, and finishes it when that is answered.
func (l *loop) sendLast(c *conn, now int64) {
	if n := min(l.depth-c.inflight, c.left); n > 0 {
		c.left -= n
		l.add(c, n, now)
		l.flush(c, now)
	}
	if !c.closed {
		l.finish(c)
	}
}

// reopen puts a new connection in the place of one that has ended. It does not wait until it is connected: the socket
// takes nothing before, and epoll tells when it does.
func (l *loop) reopen(c *conn) {
	began := l.clock()
	_ = syscall.Close(c.fd)
	c.fd = -1
	fd, err := connect(l.peer)
	if err != nil {
		l.lose(c, err) // which has nothing to close
		return
	}
	c.fd, c.left, c.finishing, c.full = fd, l.each, false, false
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: c.slot}
	if err := syscall.EpollCtl(l.epfd, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		l.lose(c, os.NewSyscallError("epoll_ctl", err))
		return
	}
	l.sendLast(c, began)
}

// connect returns a non-blocking socket that is connecting to peer.
func connect(peer syscall.Sockaddr) (fd int, err error) {
	family := syscall.AF_UNIX
	switch peer.(type) {
	case *syscall.SockaddrInet4:
		family = syscall.AF_INET
	case *syscall.SockaddrInet6:
		family = syscall.AF_INET6
	}
	fd, err = syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if family != syscall.AF_UNIX {
		err = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	}
	if err == nil {
		if err = syscall.Connect(fd, peer); errors.Is(err, syscall.EINPROGRESS) {
			err = nil
		}
	}
	if err != nil {
		_ = syscall.Close(fd)
		return -1, os.NewSyscallError("connect", err)
	}
	return fd, nil
}
