package actors

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/understudy-go/understudy/supervisor"
)

// idleRouter is a router whose workers are all idle, without a pool.
func idleRouter(t *testing.T, routing Routing, workers int) *router {
	t.Helper()
	st := NewStage(context.Background(), Settings{
		Workers: workers, MaxWorkers: workers, Routing: routing, Queue: 10, Window: 10, WindowBytes: 1 << 20, MaxFrame: 1 << 20,
		ReadBuffer: 1024, WriteBuffer: 1024, Deadline: time.Hour, Stall: time.Hour,
	}, echoTable(t), nil, supervisor.NewHub())
	r := st.router
	for i := range workers {
		s := newSlot(r, i, i+1, "")
		s.alive.Store(true)
		r.slots[i].Store(s)
		r.placed.Add(1)
		r.idle.offer(i)
	}
	return r
}

// Each routing claims every idle worker exactly once, only those that are alive, and then none.
func TestRoutingClaimsEveryIdleWorker(t *testing.T) {
	for routing := range Routing(len(Routings())) {
		for _, workers := range []int{1, 3, 64, 65, 200} {
			r := idleRouter(t, routing, workers)
			dead := workers / 2
			r.slots[dead].Load().alive.Store(workers == 1)
			var got []int
			for s := r.claim(); s != nil; s = r.claim() {
				got = append(got, s.index)
			}
			slices.Sort(got)
			want := make([]int, 0, workers)
			for i := range workers {
				if i != dead || workers == 1 {
					want = append(want, i)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v: claimed %v of %d", routing, got, workers)
			}
		}
	}
}

func TestRoutingChoosesAsNamed(t *testing.T) {
	const workers = 5
	// claims returns who is claimed in n rounds, each of them idle again before the next.
	claims := func(r *router, n int, worked func(s *slot)) []int {
		var all []int
		for range n {
			s := r.claim()
			all = append(all, s.index)
			worked(s)
			r.idle.offer(s.index)
		}
		return all
	}
	nothing := func(*slot) {}
	if got := claims(idleRouter(t, FirstIdle, workers), 4, nothing); !slices.Equal(got, []int{0, 0, 0, 0}) {
		t.Errorf("first-idle claims %v", got)
	}
	got := claims(idleRouter(t, RoundRobin, workers), 2*workers, nothing)
	for i := range got {
		if got[i] != (got[0]+i)%workers {
			t.Errorf("round-robin claims %v", got)
			break
		}
	}
	// With a place for many more workers than there are, as when the pool may grow.
	few := idleRouter(t, RoundRobin, 128)
	for i := workers; i < 128; i++ {
		few.idle.withdraw(i)
		few.slots[i].Store(nil)
	}
	if got := claims(few, 2*workers, nothing); !slices.Equal(got, []int{0, 1, 2, 3, 4, 0, 1, 2, 3, 4}) {
		t.Errorf("round-robin of few claims %v", got)
	}
	r := idleRouter(t, LeastLoaded, workers)
	for i := range workers {
		r.slots[i].Load().worked.Store(int64(10 * (workers - i)))
	}
	if got := claims(r, 6, func(s *slot) { s.worked.Add(11) }); !slices.Equal(got, []int{4, 3, 4, 2, 3, 4}) {
		t.Errorf("least-loaded claims %v", got)
	}
	// 5,000 draws of 5: 1,000 each, with a standard deviation of 28.
	counts := make([]int, workers)
	for _, i := range claims(idleRouter(t, Random, workers), 5000, nothing) {
		counts[i]++
	}
	for i, n := range counts {
		if n < 800 || n > 1200 {
			t.Errorf("random claims worker %d %d times of 5,000", i, n)
		}
	}
}

// A busy worker is never claimed, whoever's turn it is.
func TestRoutingPassesOverTheBusy(t *testing.T) {
	for routing := range Routing(len(Routings())) {
		r := idleRouter(t, routing, 70)
		for i := range 70 {
			if i != 3 && i != 66 {
				r.idle.withdraw(i)
			}
		}
		for range 50 {
			s := r.claim()
			if s == nil || (s.index != 3 && s.index != 66) {
				t.Fatalf("%v claims %v", routing, s)
			}
			r.idle.offer(s.index)
		}
	}
}

func TestRoutingNames(t *testing.T) {
	if got := Routings(); !slices.Equal(got, []string{"first-idle", "round-robin", "random", "least-loaded"}) {
		t.Errorf("%v", got)
	}
	if LeastLoaded.String() != "least-loaded" || Routing(9).String() != "routing 9" {
		t.Errorf("%v, %v", LeastLoaded, Routing(9))
	}
}
