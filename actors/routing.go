package actors

import (
	"fmt"
	"math/rand/v2"
)

// Routing says which idle worker gets a burst. Workers that serve get none: a burst that finds all of them serving waits.
// A burst that has a key goes by the same rule, once it is the turn of its key.
type Routing int

const (
	// FirstIdle takes the idle worker with the lowest number: under a light load the same few stay warm.
	FirstIdle Routing = iota
	// RoundRobin takes the next idle worker after the one that was taken last.
	RoundRobin
	// Random takes any idle worker.
	Random
	// LeastLoaded takes the idle worker that has spent the least time serving. It looks at every idle worker.
	LeastLoaded
)

var routingNames = []string{"first-idle", "round-robin", "random", "least-loaded"}

// Routings returns the names of all routings, in order.
func Routings() []string { return routingNames }

// String returns the name, such as "round-robin".
func (r Routing) String() string {
	if r < 0 || int(r) >= len(routingNames) {
		return fmt.Sprintf("routing %d", int(r))
	}
	return routingNames[r]
}

// claim takes an idle worker, or returns nil.
func (r *router) claim() *slot {
	for {
		i := r.claimIndex()
		if i < 0 {
			return nil
		}
		if s := r.slots[i].Load(); s != nil && s.alive.Load() {
			return s
		}
	}
}

func (r *router) claimIndex() int {
	switch r.stage.Routing {
	case RoundRobin:
		i := r.idle.claimFrom(int(r.turn.Load()) % len(r.slots))
		if i >= 0 {
			r.turn.Store(int64(i + 1))
		}
		return i
	case Random:
		for {
			n := r.idle.count()
			if n == 0 {
				return -1
			}
			if i := r.idle.nth(rand.IntN(n)); i >= 0 && r.idle.withdraw(i) {
				return i
			}
		}
	case LeastLoaded:
		for {
			i := r.idle.least(r.worked)
			if i < 0 || r.idle.withdraw(i) {
				return i
			}
		}
	default:
		return r.idle.claim()
	}
}

// leastWorked is what a new worker begins with: it is not to be given everything until it has caught up.
func (r *router) leastWorked() int64 {
	least := int64(-1)
	for i := range r.slots {
		if s := r.slots[i].Load(); s != nil {
			if w := s.worked.Load(); least < 0 || w < least {
				least = w
			}
		}
	}
	return max(least, 0)
}

// worked returns how long the worker in a place has served.
func (r *router) worked(i int) int64 {
	if s := r.slots[i].Load(); s != nil {
		return s.worked.Load()
	}
	return 0
}
