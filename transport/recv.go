package transport

import (
	"syscall"
	"unsafe"
)

// recvNow is recv(2) with MSG_PEEK and MSG_DONTWAIT: the byte stays in the socket. The package syscall has recvfrom only, which
// allocates an address. A descriptor that is no socket is an error, as any other.
func recvNow(fd uintptr, b *[1]byte) (n int, err error) {
	got, _, errno := syscall.Syscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(b)), 1, syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(got), nil
}
