package actors

import (
	"sync/atomic"
	"time"
)

// waits is how long bursts have waited in the backlog. Any goroutine may use it.
type waits struct {
	total   atomic.Int64 // nanoseconds, of all that have waited
	longest atomic.Int64

	// How long the first of those that wait had waited when the sweeper looked last; 0 if none waited.
	ready atomic.Int64 // for a worker
	held  atomic.Int64 // for a key slot
}

// look notes since when the first has waited.
func (w *waits) look(now, ready, held time.Time) {
	since := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return max(1, int64(now.Sub(t)))
	}
	w.ready.Store(since(ready))
	w.held.Store(since(held))
}

func (w *waits) note(d time.Duration) {
	w.total.Add(int64(d))
	for {
		longest := w.longest.Load()
		if int64(d) <= longest || w.longest.CompareAndSwap(longest, int64(d)) {
			return
		}
	}
}
