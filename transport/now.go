//go:build !race

package transport

import (
	"syscall"
	"unsafe"
)

// atOnce is up to how many bytes a read or write of a socket may have that the scheduler is not told of. The sockets do not
// block, so such a call takes as long as copying the bytes and, on the loopback interface, delivering them: microseconds, which is
// less than the scheduler would make of it. It would take the processor's run queue away from a thread that the kernel puts
// aside in the middle of the call, as it does where the load runs on the same processors, and give it to another.
// Until the call returns, a stop of the world waits for it; so the calls that copy much are announced as ever.
const atOnce = 16 << 10

// readNow is read(2).
func readNow(fd uintptr, b []byte) (int, syscall.Errno) { return now(syscall.SYS_READ, fd, b) }

// writeNow is write(2).
func writeNow(fd uintptr, b []byte) (int, syscall.Errno) { return now(syscall.SYS_WRITE, fd, b) }

func now(trap, fd uintptr, b []byte) (n int, errno syscall.Errno) {
	var r uintptr
	if len(b) > atOnce && trap == syscall.SYS_WRITE || len(b) > 4*atOnce {
		r, _, errno = syscall.Syscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	} else {
		r, _, errno = syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	}
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}
