package load_test

import (
	"testing"
	"time"

	"github.com/understudy-go/understudy/internal/load"
)

// A server that freezes is charged for the requests that were meant to be sent meanwhile, whether the window had room for
// them or not: no coordinated omission.
func TestFreezeShowsInOpenLoop(t *testing.T) {
	for _, depth := range []int{1, 4096} {
		freeze(t, depth)
	}
}

func freeze(t *testing.T, depth int) {
	const (
		rate     = 1000
		duration = 2 * time.Second
		least    = 400 * time.Millisecond // that the server is frozen
	)
	frozen, thaw := make(chan struct{}), make(chan struct{})
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		if n == 50 {
			close(frozen)
			<-thaw
		}
		return right, true
	})
	var since time.Duration
	thawed := false
	defer func() {
		if !thawed {
			close(thaw)
		}
	}()
	r := run(t, u, load.Config{
		Connections: 1, Depth: depth, Rate: rate, Arrivals: load.Uniform, Duration: duration, Interval: duration / 20, Grace: patience,
		Progress: func(i load.Interval) {
			select {
			case <-frozen:
			default:
				return
			}
			if since == 0 {
				since = i.To
			}
			if i.To-since >= least && !thawed {
				thawed = true
				close(thaw)
			}
		},
	})
	if !thawed {
		t.Fatalf("depth %d: the server was not frozen in time: %+v", depth, *r)
	}
	// 400 of 2000 were due while it was frozen, and waited for a time that falls from 400 ms to nothing.
	if r.Latency.P99 < least/2 || r.Latency.P90 < least/4 {
		t.Errorf("depth %d: %+v", depth, r.Latency)
	}
	if all := r.Requests + r.Unsent; all != 2000 || r.Latency.Count != all || r.Unanswered != 0 || r.Problem != "" {
		t.Errorf("depth %d: %+v", depth, *r)
	}
	if depth == 1 && r.Late-r.LateOwn < 200 {
		t.Errorf("depth 1: %d were late, of which %d by the generator's fault", r.Late, r.LateOwn)
	}
}

// What is never answered, or cannot even be sent, counts as having waited to the end.
func TestFrozenForGood(t *testing.T) {
	thaw := make(chan struct{})
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		if n == 50 {
			<-thaw
		}
		return right, true
	})
	defer close(thaw)
	r := run(t, u, load.Config{
		Connections: 1, Depth: 8, Rate: 1000, Arrivals: load.Uniform, Duration: 500 * time.Millisecond, Grace: 100 * time.Millisecond,
	})
	if r.Unanswered != 8 || r.Replies > 50 || r.Requests != r.Replies+8 || r.Requests+r.Unsent != 500 || r.Latency.Count != 500 || r.Lost != 0 {
		t.Errorf("%+v", *r)
	}
	if r.Latency.P50 < 200*time.Millisecond || r.Latency.Max < 500*time.Millisecond {
		t.Errorf("%+v", r.Latency)
	}
}
