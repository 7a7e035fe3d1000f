package load

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/transport"
	"golang.org/x/sys/unix"
)

// dialers is how many connections are made at once.
const dialers = 32

// dialAll returns n descriptors of connected, non-blocking sockets that the runtime's poller does not know. The error is a
// *client.DialError.
func dialAll(ctx context.Context, u transport.URL, n int) ([]int, error) {
	fds := make([]int, n)
	errs := make([]error, n)
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for first := range min(dialers, n) {
		all.Go(func() {
			for i := first; i < n; i += dialers {
				if fds[i], errs[i] = dial(ctx, u); errs[i] != nil {
					cancel()
				}
			}
		})
	}
	all.Wait()
	var failed error
	for _, err := range errs {
		// What failed because another had failed says nothing.
		if err != nil && (failed == nil || errors.Is(failed, context.Canceled)) {
			failed = err
		}
	}
	if failed == nil {
		return fds, nil
	}
	for i, fd := range fds {
		if errs[i] == nil {
			_ = syscall.Close(fd)
		}
	}
	return nil, &client.DialError{URL: u.String(), Err: failed}
}

func dial(ctx context.Context, u transport.URL) (fd int, err error) {
	nc, err := new(net.Dialer).DialContext(ctx, u.Network, u.Address)
	if err != nil {
		return -1, err
	}
	defer nc.Close() // the descriptor that is kept is a duplicate
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return -1, errors.New("the connection has no descriptor")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return -1, err
	}
	var failed error
	err = raw.Control(func(original uintptr) {
		fd, failed = unix.FcntlInt(original, syscall.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil && failed != nil {
		err = os.NewSyscallError("fcntl", failed)
	}
	return fd, err
}

// The calls below are raw: they do not tell the scheduler, which is what a system call costs most in Go. They do not
// block, as the sockets are non-blocking.

func read(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

func write(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		syscall.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// wait waits for events, for at most timeout. It tells the scheduler, unless it cannot wait.
func wait(epfd int, events []syscall.EpollEvent, timeout *unix.Timespec) (int, syscall.Errno) {
	var n uintptr
	var errno syscall.Errno
	if timeout.Sec == 0 && timeout.Nsec == 0 {
		n, _, errno = syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(epfd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)),
			uintptr(unsafe.Pointer(timeout)), 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(epfd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)),
			uintptr(unsafe.Pointer(timeout)), 0, 0)
	}
	if errno == syscall.EINTR {
		return 0, 0
	}
	return int(n), errno
}

// threadCPU returns the CPU time that the calling thread has used, in nanoseconds.
func threadCPU() int64 {
	var r syscall.Rusage
	const thread = 1 // RUSAGE_THREAD, getrusage(2)
	if syscall.Getrusage(thread, &r) != nil {
		return 0
	}
	return r.Utime.Nano() + r.Stime.Nano()
}

// threadDelay returns for how long the calling thread has been ready to run without a processor to run on, in nanoseconds,
// 0 where the kernel does not tell (Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat).
func threadDelay() int64 {
	text, err := os.ReadFile("/proc/thread-self/schedstat")
	if err != nil {
		return 0
	}
	if fields := strings.Fields(string(text)); len(fields) > 1 {
		n, _ := strconv.ParseInt(fields[1], 10, 64) // 0 if it is no number
		return n
	}
	return 0
}
