package actors

import "time"

// turns decides whether a reader lets other goroutines go first after a burst. It is plain data of the reading goroutine; clocks
// are passed in.
//
// A peer that pipelines without end never lets its reader wait, and the scheduler would let that run for 10 ms at a time, with every
// other connection waiting behind it: so after yieldAfter requests others always have their turn. And on a server that is busy
// with some dozens of connections the next burst has come by the time the reader has its turn again, which saves a read that
// finds nothing, the wait, and the poller's work. It costs a little where nobody else wants to run, or the next burst takes longer:
// so it is done for as long as it pays, and else tried now and then.
type turns struct {
	requests int   // since the last turn
	bursts   int   // since it was last tried
	worth    int   // from worthless to precious; it pays while it is more than the first
	since    int64 // when others were let go first, in nanoseconds; 0 if they were not
}

const (
	yieldAfter = 128 // requests
	tryAfter   = 32  // bursts
	worthless  = -4
	precious   = 8

	// A turn in which nobody else was served is shorter than that: a burst of one request takes longer, most of it in the kernel.
	someonesTurn = int64(4 * time.Microsecond)
)

// over says whether to let others go first, after a burst of so many requests.
func (t *turns) over(requests int) bool {
	t.bursts++
	t.requests += requests
	return t.worth > worthless || t.bursts >= tryAfter || t.requests >= yieldAfter
}

// left notes when others are let go first.
func (t *turns) left(now int64) { t.requests, t.bursts, t.since = 0, 0, now }

// next notes when the next burst arrived, and whether the reader had to wait for it.
func (t *turns) next(waited bool, arrived int64) {
	if waited {
		t.requests = 0 // whoever waits lets others go first
	}
	if t.since == 0 {
		return
	}
	if !waited && arrived-t.since >= someonesTurn {
		t.worth = min(t.worth+2, precious)
	} else {
		t.worth = max(t.worth-1, worthless)
	}
	t.since = 0
}
