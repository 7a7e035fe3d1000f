package transport

import (
	"syscall"
	"unsafe"
)

// peek looks for a byte, which stays in the socket, without waiting: recv(2) with MSG_PEEK and MSG_DONTWAIT. Errno 0 says that
// there is one, or the end of the stream. (The package syscall has recvfrom only, which allocates an address.)
func peek(fd uintptr, b *[1]byte) syscall.Errno {
	_, _, errno := syscall.Syscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(b)), 1, syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0)
	return errno
}
