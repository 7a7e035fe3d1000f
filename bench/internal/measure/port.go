package measure

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// portLater lets connect(2) choose the port, when it knows the other end, and not bind(2): IP_BIND_ADDRESS_NO_PORT, ip(7).
func portLater(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = os.NewSyscallError("IP_BIND_ADDRESS_NO_PORT", unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1))
	})
	if err != nil {
		return err
	}
	return failed
}
