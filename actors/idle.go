package actors

import (
	"math/bits"
	"sync/atomic"
)

// idleSet is the set of workers that can be claimed: a bit for each, taken and set atomically, without a lock.
type idleSet []atomic.Uint64

func newIdleSet(n int) idleSet { return make(idleSet, (n+63)/64) }

// offer makes worker i claimable.
func (s idleSet) offer(i int) { s[i/64].Or(1 << (i % 64)) }

// withdraw makes it unclaimable. It reports whether it was claimable.
func (s idleSet) withdraw(i int) bool {
	bit := uint64(1) << (i % 64)
	return s[i/64].And(^bit)&bit != 0
}

// claim takes one worker, which is the caller's until it is offered again, or returns -1. The lowest number is taken, so
// that under a light load the same few workers stay warm.
func (s idleSet) claim() int {
	for w := range s {
		if i := s.claimIn(w, ^uint64(0)); i >= 0 {
			return i
		}
	}
	return -1
}

// claimFrom takes the first worker from i on, or, if there is none, the first of all; or returns -1. A worker that is
// offered meanwhile may be passed over.
func (s idleSet) claimFrom(i int) int {
	first := i / 64
	if n := s.claimIn(first, ^uint64(0)<<(i%64)); n >= 0 {
		return n
	}
	for w := first + 1; w < len(s); w++ {
		if n := s.claimIn(w, ^uint64(0)); n >= 0 {
			return n
		}
	}
	return s.claim()
}

// claimIn takes the lowest of those workers in word w that are in mask, or returns -1.
func (s idleSet) claimIn(w int, mask uint64) int {
	for {
		v := s[w].Load()
		fit := v & mask
		if fit == 0 {
			return -1
		}
		if s[w].CompareAndSwap(v, v&^(fit&-fit)) {
			return w*64 + bits.TrailingZeros64(fit)
		}
	}
}

// nth returns the claimable worker before which there are n, without claiming it, or -1.
func (s idleSet) nth(n int) int {
	for w := range s {
		v := s[w].Load()
		if here := bits.OnesCount64(v); n >= here {
			n -= here
			continue
		}
		for ; n > 0; n-- {
			v &= v - 1
		}
		return w*64 + bits.TrailingZeros64(v)
	}
	return -1
}

// least returns the claimable worker of the least load, without claiming it, or -1.
func (s idleSet) least(load func(int) int64) int {
	best, low := -1, int64(0)
	for w := range s {
		for v := s[w].Load(); v != 0; v &= v - 1 {
			i := w*64 + bits.TrailingZeros64(v)
			if l := load(i); best < 0 || l < low {
				best, low = i, l
			}
		}
	}
	return best
}

// count returns how many are claimable.
func (s idleSet) count() int {
	n := 0
	for w := range s {
		n += bits.OnesCount64(s[w].Load())
	}
	return n
}
