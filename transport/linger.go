package transport

import (
	"errors"
	"io"
	"os"
	"time"
)

// discardChunk is how much Discard reads at once if it is given no buffer, in bytes.
const discardChunk = 4 << 10

// Discard reads and drops what the peer still sends, until its FIN (fin is true), until bound has passed (fin is false
// and err nil), or until an error or an interrupt. n is how many bytes it dropped. A bound of 0 or less drops nothing.
// chunk is what it reads into; if it is empty 4 KiB are allocated.
//
// It is the second step of a close that destroys no replies: CloseWrite, Discard, Close. Closing a socket with unread
// input sends RST (RFC 2525, 2.17), and the peer's kernel may then throw away replies that the peer has not read yet.
// Only the reading goroutine.
func (c *Conn) Discard(bound time.Duration, chunk []byte) (n int64, fin bool, err error) {
	if c.Interrupted() {
		return 0, false, ErrInterrupted
	}
	if bound <= 0 {
		return 0, false, nil
	}
	if len(chunk) == 0 {
		chunk = make([]byte, discardChunk)
	}
	end := time.Now().Add(bound)
	for err := c.setReadDeadline(end); ; {
		if err != nil {
			return n, false, err
		}
		var got int
		got, err = c.nc.Read(chunk)
		n += int64(got)
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return n, true, nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return n, false, err
		case c.Interrupted():
			return n, false, ErrInterrupted
		case !time.Now().Before(end):
			return n, false, nil
		default: // what an interrupt that was cleared left behind
			err = c.setReadDeadline(end)
		}
	}
}
