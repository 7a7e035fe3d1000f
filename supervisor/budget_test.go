package supervisor_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/understudy-go/understudy/supervisor"
)

// naive is add_restart of OTP's supervisor.erl, word by word, newest first.
func naive(restarts []time.Time, now time.Time, b supervisor.Budget) ([]time.Time, bool) {
	threshold := now.Add(-b.Period)
	n := slices.IndexFunc(restarts, func(r time.Time) bool { return r.Before(threshold) })
	if n < 0 {
		n = len(restarts)
	}
	restarts = append([]time.Time{now}, restarts[:n]...)
	return restarts, len(restarts) <= b.Intensity
}

func TestMeterCountsAsOTPDoes(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		b := supervisor.Budget{Intensity: rnd.IntN(12), Period: time.Duration(1+rnd.IntN(50)) * time.Millisecond}
		meter := supervisor.NewMeter(b)
		var model []time.Time
		now := time.Unix(0, 0)
		for step := range 400 {
			switch rnd.IntN(10) {
			case 0:
				now = now.Add(b.Period) // exactly a period: still counts
			case 1:
				now = now.Add(b.Period + 1)
			default:
				now = now.Add(time.Duration(rnd.IntN(12)) * time.Millisecond)
			}
			var want bool
			model, want = naive(model, now, b)
			left, ok := meter.Spend(now)
			if ok != want || left != max(0, b.Intensity-len(model)) || meter.Left(now) != left {
				t.Fatalf("seed %d, %+v, step %d: Spend = %d, %v, want %d, %v", seed, b, step, left, ok, max(0, b.Intensity-len(model)), want)
			}
		}
	}
}

func TestMeterBounds(t *testing.T) {
	now := time.Unix(0, 0)
	if _, ok := supervisor.NewMeter(supervisor.Budget{}).Spend(now); ok {
		t.Error("the zero budget allows a restart")
	}
	unlimited := supervisor.NewMeter(supervisor.Budget{Intensity: -1})
	huge := supervisor.NewMeter(supervisor.Budget{Intensity: math.MaxInt})
	forever := supervisor.NewMeter(supervisor.Budget{Intensity: 2})
	for i := range 1000 {
		now = now.Add(time.Hour)
		if _, ok := unlimited.Spend(now); !ok {
			t.Fatal("an unlimited budget was spent")
		}
		if _, ok := huge.Spend(now); !ok {
			t.Fatal("a huge budget was spent")
		}
		if _, ok := forever.Spend(now); ok != (i < 2) {
			t.Fatalf("restart %d of 2 for ever: %v", i+1, ok)
		}
	}
	forever.Reset()
	if left, ok := forever.Spend(now); left != 1 || !ok {
		t.Errorf("after Reset: %d, %v", left, ok)
	}
	small := supervisor.NewMeter(supervisor.Budget{Intensity: 3, Period: time.Hour})
	if n := testing.AllocsPerRun(10_000, func() { small.Spend(now) }); n > 0 {
		t.Errorf("a meter grows without bound: %v allocations a restart", n)
	}
}

func TestBackoffBounds(t *testing.T) {
	b := supervisor.Backoff{Min: 10 * time.Millisecond, Max: 75 * time.Millisecond, Healthy: time.Second}
	most := func() float64 { return math.Nextafter(1, 0) }
	state := supervisor.NewBackoffState(b)
	now := time.Unix(0, 0)
	for i, ceiling := range []time.Duration{10, 20, 40, 75, 75, 75} {
		ceiling *= time.Millisecond
		delay := state.Next(now, most)
		if state.Ceiling() != ceiling || delay > ceiling || delay < ceiling-time.Microsecond {
			t.Fatalf("failure %d: delay %v below %v, want just below %v", i, delay, state.Ceiling(), ceiling)
		}
		now = now.Add(delay + 999*time.Millisecond) // not healthy for long enough
	}
	now = now.Add(2 * time.Second)
	if state.Next(now, most); state.Ceiling() != b.Min {
		t.Errorf("after a healthy time the ceiling is %v", state.Ceiling())
	}
	if d := state.Next(now, func() float64 { return 0 }); d != 0 {
		t.Errorf("full jitter starts at %v", d)
	}
	if d := state.Next(now, func() float64 { return 2 }); d > b.Max {
		t.Errorf("a bad source of randomness gave %v", d)
	}
}

func TestBackoffOddities(t *testing.T) {
	now := time.Unix(0, 0)
	if d := supervisor.NewBackoffState(supervisor.Backoff{Max: time.Hour}).Next(now, nil); d != 0 {
		t.Errorf("without Min: %v", d)
	}
	below := supervisor.NewBackoffState(supervisor.Backoff{Min: time.Second})
	endless := supervisor.NewBackoffState(supervisor.Backoff{Min: 1, Max: math.MaxInt64})
	for range 200 {
		if d := below.Next(now, nil); d < 0 || d > time.Second {
			t.Fatalf("with Max below Min: %v", d)
		}
		if d := endless.Next(now, nil); d < 0 || endless.Ceiling() <= 0 {
			t.Fatalf("overflow: %v of %v", d, endless.Ceiling())
		}
	}
	if endless.Ceiling() != math.MaxInt64 {
		t.Errorf("the cap was not reached: %v", endless.Ceiling())
	}
}
