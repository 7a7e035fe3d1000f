package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/supervisor"
)

var errFragile = errors.New("fragile")

// result is a call that ends with err.
func result(err error) func() error { return func() error { return err } }

// breakerScript drives a breaker under a clock of its own, one step a word: "ok", "fail" and "ignore" are calls that must go through,
// "no" is one that must be refused, a duration is time that passes, and any other word is the state that it must be in.
func breakerScript(t *testing.T, b *supervisor.Breaker, script ...any) {
	t.Helper()
	now := time.Unix(0, 0)
	b.Now = func() time.Time { return now }
	for i, step := range script {
		var err error
		switch step {
		case "ok":
			err = b.Do(result(nil))
		case "fail":
			if err = b.Do(result(errFragile)); errors.Is(err, errFragile) {
				err = nil
			}
		case "ignore":
			if err = b.Do(result(context.Canceled)); errors.Is(err, context.Canceled) {
				err = nil
			}
		case "no":
			if err := b.Do(result(nil)); !errors.Is(err, supervisor.ErrBreakerOpen) {
				t.Fatalf("step %d: the call was not refused: %v", i, err)
			}
		default:
			if d, ok := step.(time.Duration); ok {
				now = now.Add(d)
			} else if got := b.State().String(); got != step {
				t.Fatalf("step %d of %v: %s, want %s", i, script, got, step)
			}
		}
		if err != nil {
			t.Fatalf("step %d of %v: %v", i, script, err)
		}
	}
}

func TestBreakerStates(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name    string
		breaker *supervisor.Breaker
		script  []any
	}{
		{"the zero value trips on five in a row", &supervisor.Breaker{}, []any{
			"closed", "fail", "fail", "fail", "fail", "closed", "fail", "open", "no", 5*s - 1, "open", "no", 1 * time.Nanosecond, "half-open", "ok", "closed"}},
		{"a success breaks the row", &supervisor.Breaker{Consecutive: 2}, []any{"fail", "ok", "fail", "closed", "fail", "open"}},
		{"what is ignored does not", &supervisor.Breaker{Consecutive: 2}, []any{"fail", "ignore", "fail", "open"}},
		{"no row trips", &supervisor.Breaker{Consecutive: -1}, slices.Concat(slices.Repeat([]any{"fail"}, 1000), []any{"closed"})},
		{"a probe that fails opens it again, for twice as long, at most", &supervisor.Breaker{Consecutive: 1, Cooldown: s, MaxCooldown: 3 * s}, []any{
			"fail", "open", s, "half-open", "fail", "open", s, "no", s, "half-open", "fail", 2 * s, "no", s, "fail", 3*s - 1, "no", 1 * time.Nanosecond, "ok", "closed",
			"fail", "open", s, "half-open"}}, // closing reset it
		{"it closes after as many successes as there are probes", &supervisor.Breaker{Consecutive: 1, Probes: 3}, []any{
			"fail", 5 * s, "ok", "half-open", "ignore", "ok", "half-open", "ok", "closed"}},
		{"a probe that is ignored makes room for another", &supervisor.Breaker{Consecutive: 1}, []any{"fail", 5 * s, "ignore", "half-open", 100 * s, "ignore", "ok", "closed"}},
		{"a ratio trips once there are enough calls", &supervisor.Breaker{Consecutive: -1, Ratio: 0.5, Minimum: 4}, []any{
			"fail", "fail", "ok", "closed", "ok", "closed", "fail", "open"}}, // a success does not trip
		{"what is older than the window does not count", &supervisor.Breaker{Consecutive: -1, Ratio: 0.5, Minimum: 4}, []any{
			"fail", "fail", "fail", 10 * s, "fail", "closed", "fail", "fail", "closed", 9*s - 1, "fail", "open"}},
		{"it begins anew when it closes", &supervisor.Breaker{Consecutive: -1, Ratio: 0.5, Minimum: 2, Cooldown: s}, []any{
			"fail", "fail", "open", s, "ok", "closed", "fail", "closed", "fail", "open"}},
		{"a long silence", &supervisor.Breaker{Consecutive: -1, Ratio: 1, Minimum: 2}, []any{"fail", 1000 * time.Hour, "fail", "closed", "fail", "open"}},
		{"a clock that goes back", &supervisor.Breaker{Consecutive: 1, Cooldown: s}, []any{"fail", -time.Hour, "no", time.Hour + s, "ok", "closed"}},
	} {
		t.Run(c.name, func(t *testing.T) { breakerScript(t, c.breaker, c.script...) })
	}
}

func TestBreakerError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &supervisor.Breaker{Consecutive: 1, Cooldown: 3 * time.Second, ProbeTimeout: 2 * time.Second}
		_ = b.Do(result(errFragile))
		time.Sleep(time.Second)
		check := func(state supervisor.BreakerState, after time.Duration) {
			t.Helper()
			err := b.Do(func() error { panic("it was called") })
			open, ok := errors.AsType[*supervisor.BreakerOpenError](err)
			if !ok || open.State != state || open.RetryAfter != after || supervisor.Classify(err) != supervisor.ClassTemporary {
				t.Errorf("%v, want %v and retry after %v", err, state, after)
			}
		}
		check(supervisor.BreakerOpen, 2*time.Second)
		time.Sleep(2 * time.Second)
		probe, err := b.Enter()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		check(supervisor.BreakerHalfOpen, time.Second)
		probe.Done(nil)
		if b.State() != supervisor.BreakerClosed {
			t.Error("the probe did not close it")
		}
		pass, _ := b.Enter()
		pass.Done(nil)
		pass.Done(errFragile)
		if b.State() != supervisor.BreakerClosed {
			t.Error("the second Done counted")
		}
	})
}

// Probes that hang are given up, and what they say in the end counts nothing.
func TestBreakerProbesThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []supervisor.BreakerChange
		b := &supervisor.Breaker{Consecutive: 1, Cooldown: time.Second, MaxCooldown: time.Minute, Probes: 2, OnChange: func(c supervisor.BreakerChange) {
			changes = append(changes, c)
			panic("swallowed")
		}}
		_ = b.Do(result(errFragile))
		time.Sleep(time.Second)
		var hanging []*supervisor.Pass
		for range 2 {
			pass, err := b.Enter()
			if err != nil {
				t.Fatal(err)
			}
			hanging = append(hanging, pass)
		}
		if _, err := b.Enter(); err == nil {
			t.Error("a third probe")
		}
		time.Sleep(time.Second)
		if err := b.Do(result(nil)); !errors.Is(err, supervisor.ErrBreakerOpen) || b.State() != supervisor.BreakerOpen {
			t.Errorf("after their time: %v, %v", err, b.State())
		}
		hanging[0].Done(errFragile)
		time.Sleep(2 * time.Second)
		if err := b.Do(result(nil)); err != nil {
			t.Error(err)
		}
		hanging[1].Done(nil) // two successes would close it
		if b.State() != supervisor.BreakerHalfOpen {
			t.Errorf("a late result counted: %v", b.State())
		}
		want := "[{closed open 1 1s} {open half-open 2 0s} {half-open open 3 2s} {open half-open 4 0s}]"
		if fmt.Sprint(changes) != want || b.Generation() != 4 {
			t.Errorf("changes %v, want %v", changes, want)
		}
	})
}

// A result of an older generation changes nothing either when the state is the same again.
func TestBreakerLateResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &supervisor.Breaker{Consecutive: 1, Cooldown: time.Second}
		late, _ := b.Enter()
		later, _ := b.Enter()
		_ = b.Do(result(errFragile))
		late.Done(nil)
		if b.State() != supervisor.BreakerOpen {
			t.Errorf("a late success: %v", b.State())
		}
		time.Sleep(time.Second)
		_ = b.Do(result(nil))
		later.Done(errFragile)
		if b.State() != supervisor.BreakerClosed {
			t.Errorf("a late failure: %v", b.State())
		}
	})
}

func TestBreakerPanicAndGoexit(t *testing.T) {
	b := &supervisor.Breaker{Consecutive: 3, Judge: func(err error) supervisor.Outcome {
		if err == nil {
			panic("a judge that panics")
		}
		return 0
	}}
	panicking := func(fn func() error) (recovered any) {
		defer func() { recovered = recover() }()
		_ = b.Do(fn)
		return nil
	}
	if r := panicking(func() error { panic("boom") }); r != "boom" {
		t.Errorf("the panic became %v", r)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = b.Do(func() error { runtime.Goexit(); return nil })
		t.Error("the goroutine goes on")
	}()
	<-ended
	if b.State() != supervisor.BreakerClosed {
		t.Error("two failures were counted as three")
	}
	if r := panicking(result(nil)); r != "a judge that panics" || b.State() != supervisor.BreakerOpen {
		t.Errorf("recovered %v, %v", r, b.State())
	}
}

// Many goroutines at once: no more probes go through than may, and the generations that are told are all there.
func TestBreakerConcurrently(t *testing.T) {
	var clock atomic.Int64
	var mu sync.Mutex
	var told []int
	const probes = 3
	b := &supervisor.Breaker{Consecutive: 4, Ratio: 0.5, Probes: probes, Cooldown: time.Millisecond, ProbeTimeout: time.Hour,
		Now: func() time.Time { return time.Unix(0, clock.Load()) },
		OnChange: func(c supervisor.BreakerChange) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, int(c.Generation))
		}}
	for round := range 50 {
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(g), uint64(round)))
				for range 50 {
					clock.Add(int64(rnd.IntN(50_000)))
					if pass, err := b.Enter(); err == nil && rnd.IntN(3) == 0 {
						pass.Done(errFragile)
					} else if err == nil {
						runtime.Gosched()
						pass.Done(nil)
					}
				}
			})
		}
		all.Wait()
		for b.State() != supervisor.BreakerOpen { // half-open, nothing is on its way
			_ = b.Do(result(errFragile))
		}
		clock.Add(int64(time.Millisecond))
		var passes atomic.Int32
		for range 8 {
			all.Go(func() {
				if _, err := b.Enter(); err == nil {
					passes.Add(1)
				}
			})
		}
		all.Wait()
		if n := passes.Load(); n != probes {
			t.Fatalf("%d probes went through, want %d", n, probes)
		}
		clock.Add(int64(time.Hour))
		_ = b.Do(result(nil)) // finds that they hang
		clock.Add(int64(time.Millisecond))
	}
	slices.Sort(told)
	if len(told) < 100 || told[0] != 1 || told[len(told)-1] != len(told) || int(b.Generation()) != len(told) {
		t.Errorf("%d changes were told, there were %d", len(told), b.Generation())
	}
}

func TestBreakerAllocatesNothing(t *testing.T) {
	b, fn := new(supervisor.Breaker), result(nil)
	_ = b.Do(fn)
	if n := testing.AllocsPerRun(100, func() { _ = b.Do(fn) }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func BenchmarkBreaker(b *testing.B) {
	breaker, fn := &supervisor.Breaker{Ratio: 0.5}, result(nil)
	b.ReportAllocs()
	for b.Loop() {
		_ = breaker.Do(fn)
	}
}

// A handler that calls something fragile, and does not wait for it while it is down.
func ExampleBreaker() {
	now := time.Unix(0, 0)
	breaker := &supervisor.Breaker{Consecutive: 2, Cooldown: 3 * time.Second, Now: func() time.Time { return now }}
	broken := errors.New("connection refused")
	call := func(fn func() error) {
		err := breaker.Do(fn)
		open, refused := errors.AsType[*supervisor.BreakerOpenError](err)
		switch {
		case refused:
			fmt.Println("refused, retry after", open.RetryAfter)
		case err != nil:
			fmt.Println("failed:", err)
		default:
			fmt.Println("served")
		}
	}
	down, up := func() error { return broken }, func() error { return nil }
	call(down)
	call(down)
	call(up)
	now = now.Add(3 * time.Second)
	call(up)
	fmt.Println(breaker.State())
	// Output:
	// failed: connection refused
	// failed: connection refused
	// refused, retry after 3s
	// served
	// closed
}
