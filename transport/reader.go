package transport

import (
	"errors"
	"os"
	"time"
)

// pollGrace is how far ahead the deadline of a Read that shall not wait lies if the connection has no raw descriptor:
// a deadline that has passed would fail the read although there is something to read.
const pollGrace = 5 * time.Millisecond

// Frame is where the payload of a frame lies: Input.Buf[Start:End].
type Frame struct{ Start, End int }

// Input is what one Read returns.
type Input struct {
	// Buf holds the payloads of all Frames; nil if there are none. After Read it belongs to the caller, who gives it to
	// Buffers.Put when done with every frame. It may be larger or smaller than a pooled buffer.
	Buf []byte
	// Frames are the frames in the order of the stream. Read reuses the slice; with an error it is nil.
	Frames []Frame
	// Bytes is how many bytes of the stream the frames take, headers included.
	Bytes int
	// Err, a *messages.Status, says that the stream cannot be cut after these frames. It takes the place of a frame:
	// reply it after theirs, then close.
	Err error
}

// Reader reads a connection and cuts what comes into frames. One goroutine uses it at a time; the only thing that
// others may do is Conn.Interrupt and Conn.Close.
//
// It takes a pooled buffer only once there is something to read, and hands it out with the frames that were in it; the
// part of a frame at the end is copied to memory of the reader's own. So a connection that waits holds no pooled
// buffer. Where there is no raw descriptor a buffer is held while Read waits. A frame that does not fit into a pooled
// buffer, or that comes in many pieces, gets a buffer of its own, which grows as bytes arrive: a length that is only
// declared costs nothing.
type Reader struct {
	conn    *Conn
	framing Framing
	max     int
	bufs    *Buffers
	timer   timer

	received int64
	failed   error // what Input.Err was

	hold []byte // what was read, and has whole frames that no Read has returned, from off on; nil if there are none
	off  int
	part []byte // the start of a frame; its memory is never a pooled buffer
	need int    // how many bytes of the frame in part must be there before another try to cut it
	full int    // of a growing part: up to how many bytes it is read into; its memory may be larger

	// What fill hands to the callback of RawConn.Read and gets back. The callback is made once.
	onReadable func(fd uintptr) bool
	into       *Input // of the Read that runs
	inErr      error

	wait, waited     bool
	awaiting, looked bool // see Await
	growing          bool // the socket is read directly into part
}

// NewReader returns a reader of c that cuts by f (nil is Delimited) frames of at most max bytes, with buffers of bufs.
// The FirstByte time-out begins here.
func NewReader(c *Conn, f Framing, max int, bufs *Buffers, t Timeouts) *Reader {
	if f == nil {
		f = Delimited
	}
	if c.raw == nil {
		t.Rest = 0
	}
	r := &Reader{conn: c, framing: f, max: max, bufs: bufs, timer: newTimer(bufs.share(t))}
	r.onReadable = r.readOnce
	return r
}

// Read returns in in at least one frame, or in.Err, or returns an error. It returns at most limit frames, at least one;
// whole frames beyond that stay in the reader, and the next Read returns them without touching the socket.
//
// If wait is false Read does not wait: it returns ErrWouldBlock if no whole frame is held and the socket has no more.
// (Without a raw descriptor it waits for 5 ms.)
//
// The errors are io.EOF for an end between frames, io.ErrUnexpectedEOF for one inside a frame, ErrInterrupted,
// ErrWouldBlock, ErrAtRest, a *TimeoutError, or the socket's own. Read may be called again after ErrInterrupted, ErrWouldBlock,
// ErrAtRest, and a TimeoutError of kind "idle", which begins to count anew. After in.Err, Read returns that as its error.
func (r *Reader) Read(in *Input, limit int, wait bool) error {
	*in = Input{Frames: in.Frames[:0]}
	r.waited = false
	if r.conn.Interrupted() {
		leavePlaces(in)
		return ErrInterrupted
	}
	if r.failed != nil {
		leavePlaces(in)
		return r.failed
	}
	limit = max(limit, 1)
	if r.hold != nil {
		r.cut(in, r.hold, r.off, limit)
		r.timer.leave(len(r.part) > 0)
		return nil
	}
	r.timer.enter(len(r.part) > 0, wait)
	r.into = in
	err := r.read(in, limit, wait)
	r.into = nil
	r.timer.leave(len(r.part) > 0)
	if err != nil {
		leavePlaces(in)
	}
	return err
}

// read fills and cuts until there is something to return.
func (r *Reader) read(in *Input, limit int, wait bool) error {
	for {
		buf, err := r.fill(wait)
		if err != nil {
			return err
		}
		if r.cut(in, buf, 0, limit) {
			return nil
		}
	}
}

// fill returns a buffer with what was held and what one read of the socket brought, at least one byte. It waits as Read
// does, and tells a deadline that is due from one that is not: an old one, or one that an interrupt left.
func (r *Reader) fill(wait bool) ([]byte, error) {
	var overdue *TimeoutError
	for {
		var err error
		switch {
		case overdue != nil:
			err = r.conn.setReadDeadline(time.Time{})
		case !wait && r.conn.raw == nil:
			err = r.conn.setReadDeadline(time.Now().Add(pollGrace))
		default:
			err = r.conn.arm(r.timer.deadline(len(r.part) > 0))
		}
		if err != nil {
			return nil, err
		}
		buf, err := r.receive(wait && overdue == nil)
		switch {
		case err == nil:
			r.received += int64(len(buf) - len(r.part))
			r.timer.received()
			return buf, nil
		case err == ErrWouldBlock && overdue != nil && wait:
			r.timer.idling = false
			return nil, overdue
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return nil, err
		case r.conn.Interrupted():
			return nil, ErrInterrupted
		case !wait && r.conn.raw == nil:
			return nil, ErrWouldBlock
		}
		overdue = r.timer.expired(len(r.part) > 0)
		if overdue == nil {
			resting := wait && r.timer.atRest(len(r.part) > 0)
			if !resting {
				r.timer.active()
			}
			if err := r.conn.setReadDeadline(r.timer.deadline(len(r.part) > 0)); err != nil {
				return nil, err
			}
			if resting {
				return nil, ErrAtRest
			}
		} else if r.conn.raw == nil {
			r.timer.idling = false
			return nil, overdue
		}
		// With a raw descriptor one more look, without waiting, at what may have come while this process was stopped
		// or was not reading: that is no fault of the peer.
	}
}

// At tells the time to the next Read, so that it need not look at the clock, which a busy connection would feel. Only the
// reading goroutine.
func (r *Reader) At(now time.Time) { r.timer.hint = now.Sub(r.timer.born) }

// Waited says whether the last Read has waited for something to read. It is not known, and false, without a raw descriptor.
func (r *Reader) Waited() bool { return r.waited }

// Held returns how many bytes were read from the socket and not returned as frames: a partial frame, or whole ones
// beyond a limit.
func (r *Reader) Held() int { return len(r.part) + len(r.hold) - r.off }

// Received returns how many bytes were read from the socket in all.
func (r *Reader) Received() int64 { return r.received }

// Release gives back the buffer that the reader holds, if any, and forgets the bytes in it. It is for the end of a
// connection: a Read after it goes on somewhere in the stream.
func (r *Reader) Release() {
	r.bufs.Put(r.hold)
	r.hold, r.off, r.part, r.need, r.growing = nil, 0, nil, 0, false
}
