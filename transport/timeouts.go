package transport

import "time"

// Timeouts are how long a [Reader] waits for a peer; each 0 is no limit. Time that passes while nobody is in
// Reader.Read counts for FirstByte only: a peer is not to blame if this side does not read.
type Timeouts struct {
	// FirstByte is from NewReader to the first byte. If it is 0, Idle applies before the first byte too.
	FirstByte time.Duration
	// Idle is how long no byte comes while no part of a frame is held, from the first Read that waits. Reads that end
	// with ErrInterrupted do not restart it.
	Idle time.Duration
	// Frame is from the first byte of a frame to its last one, however many bytes come in between (slow loris).
	Frame time.Duration
}

// timer tells when one of the Timeouts is due. It sets no timer itself: Conn's read deadline does.
type timer struct {
	Timeouts
	born  time.Time // when the reader was made
	first bool      // a byte has come
	idle  time.Time // since when nothing has come, zero if that is not being counted
	frame time.Time // when the first byte of the partial frame came, moved on by the time spent outside of Read
	left  time.Time // when the last Read ended with a partial frame held
	hint  time.Time // what Reader.At was told
}

// enter is called when a Read begins.
func (t *timer) enter(partial, wait bool) {
	switch {
	case partial && t.Frame > 0:
		t.frame = t.frame.Add(time.Since(t.left))
	case !partial && wait && t.Idle > 0 && t.idle.IsZero():
		if t.idle = t.hint; t.hint.IsZero() {
			t.idle = time.Now()
		}
	}
	t.hint = time.Time{}
}

// leave is called when a Read ends.
func (t *timer) leave(partial bool) {
	if partial && t.Frame > 0 {
		t.left = time.Now()
	}
}

// received is called when bytes came.
func (t *timer) received() { t.first, t.idle = true, time.Time{} }

// began is called when a new partial frame is held.
func (t *timer) began() {
	if t.Frame > 0 {
		t.frame = time.Now()
	}
}

// due returns when the time-out that now counts is due, zero if there is none, and which one it is.
func (t *timer) due(partial bool) (at time.Time, kind string, after time.Duration) {
	switch {
	case partial && t.Frame > 0:
		return t.frame.Add(t.Frame), "frame", t.Frame
	case partial:
		return time.Time{}, "", 0
	case !t.first && t.FirstByte > 0:
		return t.born.Add(t.FirstByte), "first byte", t.FirstByte
	case !t.idle.IsZero():
		return t.idle.Add(t.Idle), "idle", t.Idle
	}
	return time.Time{}, "", 0
}

// expired returns the time-out that has passed, or nil.
func (t *timer) expired(partial bool) *TimeoutError {
	at, kind, after := t.due(partial)
	if at.IsZero() || time.Now().Before(at) {
		return nil
	}
	return &TimeoutError{Kind: kind, After: after}
}
