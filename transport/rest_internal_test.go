package transport

import (
	"testing"
	"testing/synctest"
	"time"
)

// A peer that speaks again soon after each rest is put to rest ever more seldom; one that sleeps long, as soon as at first.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rest = time.Millisecond
		timer := newTimer(&Timeouts{Rest: rest})
		pause := func() time.Duration {
			timer.enter(false, true)
			begun := time.Now()
			for resting := false; !resting; resting = timer.atRest(false) {
				time.Sleep(rest)
			}
			return time.Since(begun)
		}
		for want := rest; want <= longestRest*rest; want *= 2 {
			if got := pause(); got != want {
				t.Fatalf("rested after %v, want %v", got, want)
			}
			time.Sleep(rest)
			timer.received()
		}
		if got := pause(); got != longestRest*rest {
			t.Errorf("rested after %v, want no more than %v", got, longestRest*rest)
		}
		time.Sleep(8 * longestRest * rest)
		timer.received()
		if got := pause(); got != rest {
			t.Errorf("rested after %v, want %v: the last rest was long", got, rest)
		}
		timer.enter(false, true)
		if timer.atRest(false) {
			t.Error("a rest began twice")
		}
	})
}
