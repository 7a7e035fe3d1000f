package burst

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// startSize is how large a connection's buffer is at first, as in package bufio.
	startSize = 4 << 10
	// readAtMost is how large it becomes when reads fill it: what the server's own buffer holds.
	readAtMost = 64 << 10
	// writeAt is when replies are written although there are more requests to answer: the server's own bound, too.
	writeAt = 64 << 10
	// maxFrame is the largest request, as the server's own default.
	maxFrame = 4 << 20
)

// What cannot be cut.
var (
	ErrMalformed = errors.New("the length of a frame is no varint of 64 bits")
	ErrTooLarge  = fmt.Errorf("a frame may have at most %d bytes", maxFrame)
)

// input is the buffer of one connection. It doubles when a read fills it, until it holds readAtMost or, if that is more,
// the largest frame that came; it does not shrink.
type input struct {
	buf        []byte
	start, end int // buf[start:end] was read and not cut
	need       int // how long the frame that begins at start is, as far as that is known
}

func newInput() *input { return &input{buf: make([]byte, startSize)} }

// room returns where to read into; it is never empty.
func (in *input) room() []byte {
	held := in.end - in.start
	if held == 0 {
		in.start, in.end = 0, 0
	}
	switch {
	case in.need > len(in.buf):
		in.grow(in.need)
	case in.start > 0 && (in.end == len(in.buf) || in.start+in.need > len(in.buf)):
		copy(in.buf, in.buf[in.start:in.end])
		in.start, in.end = 0, held
	}
	return in.buf[in.end:]
}

// fill says that a read put n bytes into the room.
func (in *input) fill(n int) {
	in.end += n
	if in.end == len(in.buf) && len(in.buf) < readAtMost {
		in.grow(2 * len(in.buf))
	}
}

// grow moves what is held to a buffer of at least size bytes.
func (in *input) grow(size int) {
	n := len(in.buf)
	for n < size {
		n *= 2
	}
	buf := make([]byte, n)
	in.end = copy(buf, in.buf[in.start:in.end])
	in.start, in.buf = 0, buf
}

// next returns the next whole frame's payload, which is not nil though it may be empty, and nil if there is none.
func (in *input) next() ([]byte, error) {
	b := in.buf[in.start:in.end]
	if len(b) == 0 {
		in.need = 0
		return nil, nil
	}
	size, header := uint64(b[0]), 1
	if size >= 0x80 {
		size, header = binary.Uvarint(b)
	}
	switch {
	case header < 0 || (header == 0 && len(b) >= binary.MaxVarintLen64):
		return nil, ErrMalformed
	case header == 0:
		in.need = len(b) + 1
		return nil, nil
	case size > maxFrame:
		return nil, ErrTooLarge
	}
	n := header + int(size)
	if len(b) < n {
		in.need = n
		return nil, nil
	}
	in.start += n
	return b[header:n:n], nil
}

// all returns everything that was read, as if it had been cut.
func (in *input) all() []byte {
	b := in.buf[in.start:in.end]
	in.start, in.end = 0, 0
	return b
}
