package load_test

import (
	"sync"
	"testing"
	"time"

	"github.com/understudy-go/understudy/internal/load"
)

// A server that freezes is charged for the requests that were meant to be sent meanwhile, whether the window had room for
// them or not: no coordinated omission. While it is frozen two intervals pass, at least.
func TestFreezeShowsInOpenLoop(t *testing.T) {
	const interval = 100 * time.Millisecond
	for _, depth := range []int{1, 4096} {
		frozen, thaw := make(chan struct{}), make(chan struct{})
		var once sync.Once
		u := answer(t, func(n int, right []byte) ([]byte, bool) {
			if n == 50 {
				once.Do(func() {
					close(frozen)
					<-thaw
				})
			}
			return right, true
		})
		seen := 0
		r := run(t, u, load.Config{
			Connections: 1, Depth: depth, Rate: 1000, Arrivals: load.Uniform, Duration: time.Second, Interval: interval, Grace: patience,
			Progress: func(load.Interval) {
				select {
				case <-frozen:
					if seen++; seen == 4 {
						close(thaw)
					}
				default:
				}
			},
		})
		if seen < 4 {
			t.Fatalf("depth %d: the server was not frozen for long: %+v", depth, *r)
		}
		// Three intervals from the first to the fourth, in which 300 of 1000 were due; the last third of them waited least.
		if r.Latency.P99 < 2*interval || r.Latency.P90 < interval/2 {
			t.Errorf("depth %d: %+v", depth, r.Latency)
		}
		if all := r.Requests + r.Unsent; all != 1000 || r.Latency.Count != all || r.Unanswered != 0 || r.Problem != "" {
			t.Errorf("depth %d: %+v", depth, *r)
		}
		if depth == 1 && r.Late < 200 {
			t.Errorf("depth 1: %d were late, of which %d by the generator's fault", r.Late, r.LateOwn)
		}
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
	if r.Unanswered != 8 || r.Replies != 50 || r.Requests != 58 || r.Unsent != 500-58 || r.Latency.Count != 500 || r.Lost != 0 {
		t.Errorf("%+v", *r)
	}
	if r.Latency.P50 < 200*time.Millisecond || r.Latency.Max < 500*time.Millisecond {
		t.Errorf("%+v", r.Latency)
	}
}
