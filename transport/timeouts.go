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
	// Rest is no time-out: after so long without a byte, while no part of a frame is held, a Read that waits returns ErrAtRest,
	// once until something comes, so that its caller may go on waiting in Await, for less. For a peer whose pauses turn out to be
	// short it becomes longer, up to 128 times as long. Only with a raw descriptor.
	Rest time.Duration
}

// timer tells when one of the Timeouts is due. It sets no timer itself: Conn's read deadline does. Its moments are counted from
// born on.
type timer struct {
	*Timeouts               // shared, and not to be changed
	born      time.Time     // when the reader was made
	idle      time.Duration // since when nothing has come; counts while idling
	frame     time.Duration // when the first byte of the partial frame came, moved on by the time spent outside of Read
	left      time.Duration // when the last Read ended with a partial frame held
	hint      time.Duration // what Reader.At was told, or 0
	patience  time.Duration // what Rest has become
	first     bool          // a byte has come
	idling    bool
	rested    bool // ErrAtRest was returned, and nothing has come since
}

func newTimer(t *Timeouts) timer { return timer{Timeouts: t, born: time.Now(), patience: t.Rest} }

func (t *timer) now() time.Duration { return time.Since(t.born) }

// enter is called when a Read begins.
func (t *timer) enter(partial, wait bool) {
	switch {
	case partial && t.Frame > 0:
		t.frame += t.now() - t.left
	case !partial && wait && (t.Idle > 0 || t.Rest > 0) && !t.idling:
		t.idling = true
		if t.idle = t.hint; t.hint == 0 {
			t.idle = t.now()
		}
	}
	t.hint = 0
}

// leave is called when a Read ends.
func (t *timer) leave(partial bool) {
	if partial && t.Frame > 0 {
		t.left = t.now()
	}
}

// received is called when bytes came.
func (t *timer) received() {
	if t.rested {
		t.woke()
	}
	t.first, t.idling = true, false
}

// began is called when a new partial frame is held.
func (t *timer) began() {
	if t.Frame > 0 {
		t.frame = t.now()
	}
}

// due returns when the time-out that now counts is due, which one it is, and how long it is; after is 0 if there is none.
func (t *timer) due(partial bool) (at time.Duration, kind string, after time.Duration) {
	switch {
	case partial:
		return t.frame + t.Frame, "frame", t.Frame
	case !t.first && t.FirstByte > 0:
		return t.FirstByte, "first byte", t.FirstByte
	case t.idling:
		return t.idle + t.Idle, "idle", t.Idle
	}
	return 0, "", 0
}

// deadline returns when Read has to look again: when a time-out is due, or a rest. The zero time is never.
func (t *timer) deadline(partial bool) time.Time {
	at, _, after := t.due(partial)
	if rest, ok := t.restAt(partial); ok && (after == 0 || rest < at) {
		return t.born.Add(rest)
	}
	if after == 0 {
		return time.Time{}
	}
	return t.born.Add(at)
}

// expired returns the time-out that has passed, or nil.
func (t *timer) expired(partial bool) *TimeoutError {
	at, kind, after := t.due(partial)
	if after == 0 || t.now() < at {
		return nil
	}
	return &TimeoutError{Kind: kind, After: after}
}
