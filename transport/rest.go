package transport

import (
	"errors"
	"syscall"
	"time"
)

// ErrAtRest says that Timeouts.Rest has passed.
var ErrAtRest = errors.New("transport: the connection is at rest")

// longestRest is how many times Timeouts.Rest the wait for a rest becomes at most.
const longestRest = 128

// Await waits until the next Read has something to do, or to return: bytes or the end of the stream, a time-out, an interrupt.
// It reads nothing, holds no memory, and needs so little stack that a goroutine which has done nothing else keeps the
// smallest one there is. It is for those whom Read has told ErrAtRest; only the reading goroutine. Without a raw descriptor it
// returns at once.
func (r *Reader) Await() {
	if r.conn.raw == nil || r.hold != nil {
		return
	}
	r.awaiting, r.looked = true, false
	// Whatever ends the wait, the next Read meets it too. Read has set the deadline; a look at the interrupt is not needed, as
	// its deadline cannot have been undone since.
	_ = r.conn.raw.Read(r.onReadable)
	r.awaiting = false
}

// arrived is the callback of RawConn.Read for Await. What came after the last read, and before RawConn.Read began to listen,
// would not be told: so the first call looks.
func (r *Reader) arrived(fd uintptr) bool {
	if r.looked {
		return true
	}
	r.looked = true
	return readable(fd)
}

// readable reports whether a read would return at once, with bytes, the end of the stream or an error.
func readable(fd uintptr) bool {
	var b [1]byte
	for {
		if errno := peek(fd, &b); errno != syscall.EINTR {
			return errno != syscall.EAGAIN
		}
	}
}

// atRest reports whether nothing has come for so long that Read says so: once, until something comes.
func (t *timer) atRest(partial bool) bool {
	at, ok := t.restAt(partial)
	if !ok || t.now() < at {
		return false
	}
	t.rested = true
	return true
}

// restAt returns when a rest begins, if one is waited for.
func (t *timer) restAt(partial bool) (at time.Duration, ok bool) {
	if t.Rest <= 0 || partial || !t.idling || t.rested {
		return 0, false
	}
	return t.idle + t.patience, true
}

// active notes that a look has found no rest, or that one was short: the next one is waited for twice as long. So a connection
// that goes on speaking is looked at, and put to rest, a few times in its life, however often it pauses.
func (t *timer) active() {
	if t.patience < longestRest*t.Rest {
		t.patience *= 2
	}
}

// woke ends a rest.
func (t *timer) woke() {
	if t.rested = false; t.now()-t.idle < 8*t.patience {
		t.active()
	} else {
		t.patience = t.Rest
	}
}
