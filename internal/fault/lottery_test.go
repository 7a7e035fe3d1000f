package fault_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/internal/fault"
)

// clock is a clock that stands still between two calls of advance.
type clock struct{ now atomic.Int64 }

func (c *clock) advance(d time.Duration) { c.now.Add(int64(d)) }

func (c *clock) elapsed() time.Duration { return time.Duration(c.now.Load()) }

// clocked returns an Injector of the texts that goes by the clock.
func clocked(t *testing.T, texts ...string) (*fault.Injector, *clock) {
	t.Helper()
	var specs []fault.Spec
	for _, text := range texts {
		specs = append(specs, parse(t, text))
	}
	in, c := fault.New(specs...), &clock{}
	c.now.Store(int64(17 * time.Hour)) // a clock may have begun at any time
	in.SetClock(c.elapsed)
	return in, c
}

// round lets each of the actors ask once, in this order, and returns those that were struck.
func round(in *fault.Injector, kind string, numbers ...int) (hit []int) {
	for _, n := range numbers {
		if strike(in, kind, n) != nil {
			hit = append(hit, n)
		}
	}
	return hit
}

func enter(in *fault.Injector, kind string, numbers ...int) {
	for _, n := range numbers {
		in.Enter(kind, n)
	}
}

func TestEveryStrikesOneAnInterval(t *testing.T) {
	in, c := clocked(t, "panic session/* every=100ms")
	all := []int{1, 2, 3}
	enter(in, "session", all...)
	for _, step := range []struct {
		advance time.Duration
		strikes int
	}{
		{0, 0}, // the first interval spares all
		{99 * time.Millisecond, 0},
		{time.Millisecond, 1}, // at 100ms
		{0, 0},                // one only
		{99 * time.Millisecond, 0},
		{time.Millisecond, 1},       // at 200ms
		{150 * time.Millisecond, 1}, // at 350ms: the intervals stay where they are
		{49 * time.Millisecond, 0},
		{time.Millisecond, 1}, // at 400ms
		{time.Hour, 1},        // those missed are not made up for
		{99 * time.Millisecond, 0},
		{time.Millisecond, 1},
	} {
		c.advance(step.advance)
		// Twice, as the one who was picked may have asked before the pick.
		if hit := append(round(in, "session", all...), round(in, "session", all...)...); len(hit) != step.strikes {
			t.Errorf("%v after the last step, %v were struck, want %d", step.advance, hit, step.strikes)
		}
	}
}

func TestEveryBeginsWithTheFirstTarget(t *testing.T) {
	for name, first := range map[string]func(*fault.Injector){
		"Enter":  func(in *fault.Injector) { in.Enter("session", 1) },
		"Strike": func(in *fault.Injector) { in.Strike("session", 1) },
	} {
		in, c := clocked(t, "panic session/1 every=1s")
		in.Enter("session", 2) // no target
		in.Strike("worker", 1)
		c.advance(time.Minute)
		first(in)
		in.Enter("session", 1)
		c.advance(time.Second - 1)
		if hit := round(in, "session", 1); hit != nil {
			t.Errorf("begun by %s, the first interval is too short", name)
		}
		c.advance(1)
		if hit := round(in, "session", 1); hit == nil {
			t.Errorf("begun by %s, the first interval is too long", name)
		}
	}
}

func TestEveryStrikesTargetsOnly(t *testing.T) {
	for _, c := range []struct {
		text string
		want string
	}{
		{"panic session/* every=1s", "session"},
		{"panic session/2 every=1s", "session/2"},
		{"panic acceptor/* every=1s", "acceptor"},
		{"panic worker/3 every=1s", "worker/3"},
		{"panic pool every=1s", "pool/0"},
	} {
		in, clock := clocked(t, c.text)
		actors := map[string][]int{"worker": {1, 2, 3}, "session": {1, 2, 3}, "acceptor": {1, 2, 3}, "pool": {0}}
		for kind, numbers := range actors {
			enter(in, kind, numbers...)
		}
		for range 20 {
			clock.advance(time.Second)
			var hit []string
			for range 2 {
				for kind, numbers := range actors {
					for _, n := range round(in, kind, numbers...) {
						hit = append(hit, fmt.Sprintf("%s/%d", kind, n))
					}
				}
			}
			if len(hit) != 1 || hit[0] != c.want && hit[0][:len(hit[0])-2] != c.want {
				t.Errorf("%q struck %v, want one of %s", c.text, hit, c.want)
			}
		}
	}
}

func TestEveryWaitsForTheOnePicked(t *testing.T) {
	for seed := range 20 {
		text := fmt.Sprintf("panic session/* every=1s seed=%d", seed)
		picked := picks(t, text, 1, 1, 2)[0]
		other := 3 - picked
		in, c := clocked(t, text)
		enter(in, "session", 1, 2)
		c.advance(time.Second)
		if hit := round(in, "session", other, other, other); hit != nil {
			t.Fatalf("seed %d: struck %v, want nobody before %d asks", seed, hit, picked)
		}
		c.advance(time.Second - 1)
		if hit := round(in, "session", other, picked, other, picked); !slices.Equal(hit, []int{picked}) {
			t.Errorf("seed %d: struck %v, want %d", seed, hit, picked)
		}
	}
}

// pick lets an actor that is not live ask, so that one of those who are is picked, and none is struck.
func pick(t *testing.T, in *fault.Injector) {
	t.Helper()
	if hit := round(in, "session", 999); hit != nil {
		t.Fatal("struck one that is not live")
	}
}

func TestEveryPicksAnotherForOneThatLeaves(t *testing.T) {
	for seed := range 20 {
		in, c := clocked(t, fmt.Sprintf("panic session/* every=1s seed=%d", seed))
		all := []int{1, 2, 3, 4, 5}
		enter(in, "session", all...)
		c.advance(time.Second)
		for len(all) > 1 {
			pick(t, in)
			// Whoever was picked is among those that leave, sooner or later: one of the rest is struck all the same.
			in.Leave("session", all[0])
			if hit := round(in, "session", all[0]); hit != nil {
				t.Fatalf("seed %d: struck %v, which had left", seed, hit)
			}
			all = all[1:]
		}
		if hit := round(in, "session", all...); !slices.Equal(hit, all) {
			t.Errorf("seed %d: struck %v, want the last one, %v", seed, hit, all)
		}

		// With nobody left, the next to come is picked in the next interval.
		in.Leave("session", all[0])
		c.advance(time.Second)
		pick(t, in)
		in.Enter("session", 6)
		if hit := round(in, "session", 6, 6); !slices.Equal(hit, []int{6}) {
			t.Errorf("seed %d: struck %v, want the newcomer", seed, hit)
		}
	}
}

func TestEveryPicksAnewIfTheOnePickedIsIdle(t *testing.T) {
	in, c := clocked(t, "panic session/* every=1s")
	enter(in, "session", 1, 2, 3)
	strikes := 0
	for range 300 { // sessions 2 and 3 have nothing to do
		c.advance(time.Second)
		strikes += len(round(in, "session", 1, 1))
	}
	if strikes < 60 || strikes > 140 {
		t.Errorf("the only one that does anything was struck in %d of 300 intervals, want about 100", strikes)
	}
	c.advance(time.Second)
	if hit := append(round(in, "session", 1, 2, 3), round(in, "session", 1, 2, 3)...); len(hit) != 1 {
		t.Errorf("struck %v, want one: picks do not add up", hit)
	}
}

func TestEveryKnowsWhoIsLive(t *testing.T) {
	in, c := clocked(t, "panic session/* every=1s")
	in.Leave("session", 1) // has not entered
	enter(in, "session", 1, 1, 1)
	c.advance(time.Second)
	if hit := round(in, "session", 1); hit == nil {
		t.Error("one that entered again is not struck")
	}
	in.Leave("worker", 1) // another
	c.advance(time.Second)
	if hit := round(in, "session", 1); hit == nil {
		t.Error("a worker that leaves takes the session of its number along")
	}
	in.Leave("session", 1)
	c.advance(time.Second)
	if hit := round(in, "session", 1, 1); hit != nil {
		t.Error("struck one that entered again, and left once")
	}
}

func TestEveryWithCount(t *testing.T) {
	const text = "panic session/* count=2 every=1s"
	in, c := clocked(t, text)
	in.Enter("session", 1)
	var hit []int
	for i := range 10 {
		c.advance(time.Second)
		if strike(in, "session", 1) != nil {
			hit = append(hit, i+1)
		}
	}
	if !slices.Equal(hit, []int{1, 2}) || in.Struck()[text] != 2 {
		t.Errorf("struck in the intervals %v, and counted %v", hit, in.Struck())
	}
}

// picks returns who is struck in each of n intervals.
func picks(t *testing.T, text string, n int, numbers ...int) (hit []int) {
	in, c := clocked(t, text)
	enter(in, "session", numbers...)
	for range n {
		c.advance(time.Second)
		pick(t, in)
		hit = append(hit, round(in, "session", numbers...)...)
	}
	return hit
}

func TestEverySameSeedSamePicks(t *testing.T) {
	const text = "panic session/* seed=7 every=1s"
	first := picks(t, text, 50, 1, 2, 3, 4)
	if again := picks(t, text, 50, 3, 1, 4, 2); !slices.Equal(first, again) {
		t.Errorf("the same seed picked %v, then, with another order, %v", first, again)
	}
	if other := picks(t, "panic session/* seed=8 every=1s", 50, 1, 2, 3, 4); slices.Equal(first, other) {
		t.Error("another seed picked the same")
	}
	// As with p, the choice is part of what a seed means.
	if got, want := first[:8], []int{1, 3, 2, 4, 2, 4, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("seed 7 picked %v first, want %v", got, want)
	}
}

func TestEveryIsFair(t *testing.T) {
	const n, actors = 10_000, 5
	for seed := range 5 {
		counts := map[int]int{}
		for _, number := range picks(t, fmt.Sprintf("panic session/* every=1s seed=%d", seed), n, 1, 2, 3, 4, 5) {
			counts[number]++
		}
		sigma := math.Sqrt(n * (1.0 / actors) * (1 - 1.0/actors))
		for number := 1; number <= actors; number++ {
			if got := float64(counts[number]); math.Abs(got-n/actors) > 4.5*sigma {
				t.Errorf("seed %d picked actor %d %v times of %d, want %d ± %.0f", seed, number, got, n, n/actors, 4.5*sigma)
			}
		}
	}
}

func TestEveryOfAnyLength(t *testing.T) {
	in, c := clocked(t, "panic session/* every=2562047h47m16.854775807s") // the longest there is
	in.Enter("session", 1)
	for range 100 {
		c.advance(24 * time.Hour)
		if hit := round(in, "session", 1); hit != nil {
			t.Fatal("struck before its time")
		}
	}
	in, c = clocked(t, "panic session/* every=1ns")
	in.Enter("session", 1)
	for range 100 {
		c.advance(time.Nanosecond)
		if hit := round(in, "session", 1, 1); len(hit) != 1 {
			t.Fatalf("struck %d times in an interval", len(hit))
		}
	}
}

// An actor reads the clock before it has the lock, so others may have read a later time before its turn comes.
func TestEveryHeedsNoOldTime(t *testing.T) {
	in, c := clocked(t, "panic session/* every=1s")
	in.Enter("session", 1)
	c.advance(2 * time.Second)
	pick(t, in)
	in.Leave("session", 1)
	in.Enter("session", 2)
	c.advance(-time.Second)
	if hit := round(in, "session", 2); hit == nil {
		t.Error("nobody is picked in place of the one that left")
	}
	for _, d := range []time.Duration{0, time.Second, time.Second - 1} {
		c.advance(d)
		if hit := round(in, "session", 2, 2); hit != nil {
			t.Errorf("%v later, struck a second time in interval 2", d)
		}
	}
}

func TestEveryGoesByTheRealClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := fault.New(parse(t, "panic worker/* every=500ms"))
		in.Enter("worker", 1)
		var at []time.Duration
		begun := time.Now()
		for range 1500 {
			time.Sleep(time.Millisecond)
			if strike(in, "worker", 1) != nil {
				at = append(at, time.Since(begun))
			}
		}
		want := []time.Duration{500 * time.Millisecond, time.Second, 1500 * time.Millisecond}
		if !slices.Equal(at, want) {
			t.Errorf("struck at %v, want %v", at, want)
		}
	})
}

// In any order of calls: one strike an interval at most, none in the first, and if all that are live ask, one of them is struck.
func TestEveryInAnyOrder(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		in, c := clocked(t, fmt.Sprintf("panic session/* every=10ns seed=%d", seed))
		begun, live, strikes := time.Duration(-1), map[int]bool{}, map[time.Duration]int{}
		// ask lets one ask and returns the number of the interval.
		ask := func(number int) time.Duration {
			if begun < 0 {
				begun = c.elapsed()
			}
			interval := (c.elapsed() - begun) / 10
			if strike(in, "session", number) != nil {
				strikes[interval]++
				if !live[number] || interval == 0 || strikes[interval] > 1 {
					t.Fatalf("seed %d: struck %d, live: %v, in interval %d, %d times", seed, number, live[number], interval, strikes[interval])
				}
			}
			return interval
		}
		for range 300 {
			number := 1 + random.IntN(6)
			switch random.IntN(8) {
			case 0:
				if begun < 0 {
					begun = c.elapsed()
				}
				in.Enter("session", number)
				live[number] = true
			case 1:
				in.Leave("session", number)
				delete(live, number)
			case 2, 3:
				c.advance(time.Duration(random.IntN(8)))
			case 4:
				interval := ask(999) // so that one is picked before the first of them asks
				for number := range live {
					ask(number)
				}
				if interval > 0 && len(live) > 0 && strikes[interval] != 1 {
					t.Fatalf("seed %d: nobody of %v was struck in interval %d", seed, live, interval)
				}
			default:
				ask(number)
			}
		}
	}
}

func TestEveryConcurrently(t *testing.T) {
	const goroutines, each = 8, 3000
	const free, bound = "panic session/* every=1µs", "panic session/* count=20 every=1µs"
	in, c := clocked(t, bound, free)
	in.Enter("session", goroutines+1) // begins the first interval; it never asks
	begun := c.elapsed()
	var struck atomic.Int64
	var wg sync.WaitGroup
	for g := 1; g <= goroutines; g++ {
		wg.Go(func() {
			in.Enter("session", g)
			for i := range each {
				c.advance(50)
				if strike(in, "session", g) != nil {
					struck.Add(1)
				}
				if i%100 == 0 {
					in.Leave("session", g)
					in.Enter("session", g)
				}
			}
			in.Leave("session", g)
		})
	}
	wg.Wait()
	intervals := int64((c.elapsed() - begun) / time.Microsecond)
	got := in.Struck()
	if got[bound] != 20 {
		t.Errorf("count=20 struck %d times", got[bound])
	}
	// How many of those picked ask in time is the scheduler's affair.
	if got[free] > intervals || got[free] == 0 || got[free]+got[bound] != struck.Load() {
		t.Errorf("struck %d times by %d intervals, and %v by count", struck.Load(), intervals, got)
	}
}
