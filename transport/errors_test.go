package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/understudy-go/understudy/transport"
)

func TestExpectedOnClose(t *testing.T) {
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, syscall.EPIPE, syscall.ECONNRESET,
		syscall.ENOTCONN, &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, fmt.Errorf("x: %w", io.EOF)} {
		if !transport.ExpectedOnClose(err) {
			t.Errorf("%v is not expected", err)
		}
	}
	for _, err := range []error{nil, errors.New("x"), syscall.EBADF, syscall.EINVAL, os.ErrDeadlineExceeded, context.Canceled,
		transport.ErrInterrupted, transport.ErrWouldBlock, &transport.TimeoutError{Kind: "idle"}} {
		if transport.ExpectedOnClose(err) {
			t.Errorf("%v is expected", err)
		}
	}
}

func TestTemporaryAccept(t *testing.T) {
	for _, err := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.ECONNABORTED, syscall.EPERM,
		&net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}} {
		if !transport.TemporaryAccept(err) {
			t.Errorf("%v is not temporary", err)
		}
	}
	for _, err := range []error{nil, net.ErrClosed, syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK, io.EOF} {
		if transport.TemporaryAccept(err) {
			t.Errorf("%v is temporary", err)
		}
	}
}
