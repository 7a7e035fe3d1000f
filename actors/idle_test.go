package actors

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestIdleSet(t *testing.T) {
	for _, n := range []int{1, 2, 63, 64, 65, 200} {
		s := newIdleSet(n)
		if got := s.claim(); got != -1 || s.count() != 0 {
			t.Errorf("%d workers: claimed %d of none", n, got)
		}
		for i := n - 1; i >= 0; i-- {
			s.offer(i)
			s.offer(i) // twice is once
		}
		if s.count() != n {
			t.Errorf("%d workers: %d are idle", n, s.count())
		}
		last := n - 1
		if !s.withdraw(last) || s.withdraw(last) {
			t.Errorf("%d workers: withdrawing %d should succeed once", n, last)
		}
		for i := range last {
			if got := s.claim(); got != i {
				t.Errorf("%d workers: claimed %d, want the lowest, %d", n, got, i)
			}
		}
		if got := s.claim(); got != -1 || s.count() != 0 {
			t.Errorf("%d workers: claimed %d of none", n, got)
		}
	}
}

// Whoever claims a worker is its only owner until it is offered again. The owned numbers are plain memory: the race
// detector is the witness too.
func TestIdleSetGivesAWorkerToOne(t *testing.T) {
	const workers, claimants, rounds = 70, 8, 3000
	s := newIdleSet(workers)
	owned := make([]int, workers)
	for i := range workers {
		s.offer(i)
	}
	var wg sync.WaitGroup
	var twice, claims atomic.Int64
	for range claimants {
		wg.Go(func() {
			for range rounds {
				i := s.claim()
				if i < 0 {
					continue
				}
				if owned[i]++; owned[i] != 1 {
					twice.Add(1)
				}
				runtime.Gosched()
				owned[i]--
				claims.Add(1)
				s.offer(i)
			}
		})
	}
	wg.Wait()
	if twice.Load() != 0 || s.count() != workers {
		t.Errorf("%d claims met another owner; %d idle at the end, want %d", twice.Load(), s.count(), workers)
	}
	if claims.Load() == 0 {
		t.Error("nothing was ever claimed")
	}
}

// Every offer is good for one claim or one withdrawal, whoever comes first.
func TestIdleSetOfferIsGoodForOneClaim(t *testing.T) {
	const workers, rounds = 130, 50
	s := newIdleSet(workers)
	for range rounds {
		var taken [workers]atomic.Int64
		var offering, taking sync.WaitGroup
		var offered atomic.Bool
		for p := range 2 {
			offering.Go(func() {
				for i := p; i < workers; i += 2 {
					s.offer(i)
				}
			})
		}
		for c := range 3 {
			taking.Go(func() {
				for {
					last := offered.Load()
					if i := s.claim(); i >= 0 {
						taken[i].Add(1)
					} else if last {
						return
					} else if w := c * 7; s.withdraw(w) {
						taken[w].Add(1)
					} else {
						runtime.Gosched()
					}
				}
			})
		}
		offering.Wait()
		offered.Store(true)
		taking.Wait()
		for i := range taken {
			if n := taken[i].Load(); n != 1 {
				t.Fatalf("worker %d, offered once, was taken %d times", i, n)
			}
		}
	}
}

func BenchmarkIdleClaimOffer(b *testing.B) {
	s := newIdleSet(16)
	for i := range 16 {
		s.offer(i)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if i := s.claim(); i >= 0 {
				s.offer(i)
			}
		}
	})
}
