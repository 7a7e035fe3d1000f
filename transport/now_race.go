//go:build race

package transport

import (
	"errors"
	"syscall"
)

// The race detector takes what one end of a connection writes for seen by the other end only if package syscall does it.

func readNow(fd uintptr, b []byte) (int, syscall.Errno) {
	n, err := syscall.Read(int(fd), b)
	return max(n, 0), errnoOf(err)
}

func writeNow(fd uintptr, b []byte) (int, syscall.Errno) {
	n, err := syscall.Write(int(fd), b)
	return max(n, 0), errnoOf(err)
}

func errnoOf(err error) syscall.Errno {
	errno, _ := errors.AsType[syscall.Errno](err) // these return no other kind
	return errno
}
