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
		for {
			v := s[w].Load()
			if v == 0 {
				break
			}
			if s[w].CompareAndSwap(v, v&(v-1)) {
				return w*64 + bits.TrailingZeros64(v)
			}
		}
	}
	return -1
}

// count returns how many are claimable.
func (s idleSet) count() int {
	n := 0
	for w := range s {
		n += bits.OnesCount64(s[w].Load())
	}
	return n
}
