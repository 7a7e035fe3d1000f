package transport

import (
	"io"
	"os"
	"syscall"
)

// receive reads the socket once, and returns the buffer with what was held before and what came. It waits for something
// to read if wait is true. The buffer is a pooled one, or r.part if that is growing.
func (r *Reader) receive(wait bool) ([]byte, error) {
	if r.conn.raw == nil {
		return r.receivePlain()
	}
	r.wait, r.inErr = wait, nil
	err := r.conn.raw.Read(r.onReadable)
	if err == nil {
		err = r.inErr
	}
	buf := r.into.Buf
	r.into.Buf = nil
	return buf, err
}

// readOnce is the callback of RawConn.Read: one read(2). It returns false, and is called again once the socket is
// readable, if there is nothing to read and Read waits.
func (r *Reader) readOnce(fd uintptr) bool {
	if r.awaiting {
		return r.arrived(fd)
	}
	buf := r.take()
	held := len(buf)
	n, err := readNow(fd, buf[held:r.end(buf)])
	for err == syscall.EINTR {
		n, err = readNow(fd, buf[held:r.end(buf)])
	}
	if n > 0 {
		r.into.Buf = buf[:held+n]
		return true
	}
	r.giveBack(buf)
	switch {
	case err == 0:
		r.inErr = r.eof()
	case err != syscall.EAGAIN:
		r.inErr = os.NewSyscallError("read", err)
	case r.wait:
		if len(r.part) == 0 {
			r.part = nil // an idle connection keeps no memory for the next partial frame
		}
		r.waited = true
		return false
	default:
		r.inErr = ErrWouldBlock
	}
	return true
}

// receivePlain is receive without a raw descriptor: it waits until the read deadline, with the buffer in its hands.
func (r *Reader) receivePlain() ([]byte, error) {
	buf := r.take()
	held := len(buf)
	for {
		n, err := r.conn.nc.Read(buf[held:r.end(buf)])
		if n > 0 {
			return buf[:held+n], nil // an error that came with bytes comes again, as io.Reader says
		}
		if err != nil {
			r.giveBack(buf)
			if err == io.EOF {
				err = r.eof()
			}
			return nil, err
		}
	}
}

// eof is the error for the end of the stream.
func (r *Reader) eof() error {
	if len(r.part) > 0 {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// take returns the buffer to read into. It begins with the bytes of r.part, and has room for more.
func (r *Reader) take() []byte {
	if r.growing {
		if len(r.part) == r.full {
			r.grow()
		}
		return r.part
	}
	return append(r.bufs.Get(), r.part...) // fits: a part of Size bytes or more is a growing one
}

// giveBack undoes take.
func (r *Reader) giveBack(buf []byte) {
	if !r.growing {
		r.bufs.Put(buf)
	}
}

// grow gives r.part, which is full, more memory.
func (r *Reader) grow() {
	old, size := r.part, r.roomFor(len(r.part))
	r.part, r.full = append(r.dedicated(size), old...), size
	r.bufs.Put(old) // nobody else has seen it
}

// roomFor returns how much memory a part of n bytes gets: at most twice what has arrived, and never past the end of its frame,
// so that no byte of the next one is read into it. Each step is a half of the next, and the last is the frame: none leaves a few
// bytes for another. What waits in the kernel has arrived too, and of a large frame that is most: it is asked once a pooled
// buffer is full, so that the rest comes in one read, and is not copied.
func (r *Reader) roomFor(n int) int {
	if r.need <= n+1 {
		return 2 * n // how long the frame is, its header has yet to say
	}
	arrived := n
	if n >= r.bufs.Size() && r.need > 2*n {
		arrived += r.conn.Unread()
	}
	size := r.need
	for size > 2*arrived {
		size = (size + 1) / 2
	}
	return size
}

// end returns up to where buf is to be read into.
func (r *Reader) end(buf []byte) int {
	if r.growing {
		return r.full
	}
	return cap(buf)
}

// dedicated returns a buffer that Buffers.Put can tell from one of Buffers.Get.
func (r *Reader) dedicated(size int) []byte {
	if size > r.bufs.Size() {
		return r.bufs.GetLarge(size)
	}
	if size == r.bufs.Size() {
		size++
	}
	return make([]byte, 0, size)
}
