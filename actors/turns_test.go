package actors

import "testing"

// played is how often of n bursts of so many requests others were let go first, if waits says of each whether the reader has to wait
// for the next, and each turn takes so many nanoseconds.
func played(n int, crowded bool, requests int, took int64, waits func(i int, yielded bool) bool) (yields int) {
	var t turns
	now := int64(1)
	for i := range n {
		yield := t.over(requests, crowded)
		if yield {
			yields++
			t.left(now)
			now += took
		}
		t.next(waits(i, yield), now)
		now++
	}
	return yields
}

func TestTurns(t *testing.T) {
	const long, short = 2 * someonesTurn, someonesTurn / 2
	never := func(int, bool) bool { return false }
	always := func(int, bool) bool { return true }
	for _, c := range []struct {
		name            string
		requests        int
		took            int64
		waits           func(int, bool) bool
		atLeast, atMost int // of 3,200
	}{
		{"it pays", 1, long, never, 3200, 3200},
		{"the next burst is never there", 1, long, always, 1, 3200/tryAfter + hope},
		{"nobody else is there", 1, short, always, 1, 3200/tryAfter + hope},
		{"nobody else is there, and the next burst is", 1, short, never, 1, 3200/tryAfter + hope},
		{"it pays every other time", 1, long, func(i int, _ bool) bool { return i%2 == 0 }, 3000, 3200},
		{"it pays one time in ten", 1, long, func(i int, _ bool) bool { return i%10 > 0 }, 3200, 3200},
		{"it pays one time in a hundred", 1, long, func(i int, _ bool) bool { return i%100 > 0 }, 1, 3200 / 5},
		{"a peer pipelines without end", yieldAfter, short, never, 3200, 3200},
		{"few connections", 1, long, never, 3200 / yieldAfter, 3200 / yieldAfter},
		{"it begins to pay", 1, long, func(i int, _ bool) bool { return i < 1600 }, 800, 1750},
		{"it ceases to pay", 1, long, func(i int, _ bool) bool { return i >= 1600 }, 1600, 1750},
	} {
		if n := played(3200, c.name != "few connections", c.requests, c.took, c.waits); n < c.atLeast || n > c.atMost {
			t.Errorf("%s: let others go first %d times, want %d to %d", c.name, n, c.atLeast, c.atMost)
		}
	}
}
