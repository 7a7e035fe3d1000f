package actors

import "time"

// turns decides whether a reader lets other goroutines go first after a burst. It is plain data of the reading goroutine; clocks
// are passed in.
//
// A peer that pipelines without end never lets its reader wait, and the scheduler would let that run for 10 ms at a time, with every
// other connection waiting behind it: so after yieldAfter requests others always have their turn. And on a server that is busy
// with some dozens of connections the next burst has come by the time the reader has its turn again, which saves a read that
// finds nothing, the wait, and the poller's work: several times what a turn costs. Where nobody else wants to run, or the next burst
// takes longer, there is nothing to gain, and with few connections a thread that looks for others to run stands in the way of the
// peers, if they share the processors. So it is done in a crowd only, for as long as one in some turns pays, and else tried now
// and then.
type turns struct {
	requests int   // since the last turn
	bursts   int   // since it was last tried
	vain     int   // turns that did not pay, since one did; after hope of them it is only tried
	since    int64 // when others were let go first, in nanoseconds; 0 if they were not
}

const (
	yieldAfter = 128 // requests
	tryAfter   = 32  // bursts
	hope       = 12

	// A crowd has so many connections for each processor. With more it takes so long for all to have their turns that events are
	// better waited for; and of each too little is seen to learn from.
	crowdFrom, crowdTo = 8, 100

	// A turn in which nobody else was served is shorter than that: a burst of one request takes longer, most of it in the kernel.
	someonesTurn = int64(4 * time.Microsecond)
)

// over says whether to let others go first, after a burst of so many requests. crowded says that there are many connections.
func (t *turns) over(requests int, crowded bool) bool {
	t.bursts++
	t.requests += requests
	if !crowded {
		return t.requests >= yieldAfter
	}
	return t.vain < hope || t.bursts >= tryAfter || t.requests >= yieldAfter
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
		t.vain = 0
	} else if t.vain < hope {
		t.vain++
	}
	t.since = 0
}
