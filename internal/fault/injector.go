package fault

import (
	"sync"
	"sync/atomic"
)

// Injector strikes with a set of faults and counts the strikes. Any goroutine may use it at any time. A nil *Injector is
// valid, strikes nothing and has struck nothing.
type Injector struct {
	faults []*fault
}

// fault is a Spec with its counts.
type fault struct {
	spec   Spec
	mu     sync.Mutex   // held to decide, if spec.count bounds the strikes
	seen   atomic.Int64 // requests that reached the fault and its target, while it was not spent
	struck atomic.Int64
}

// New returns an Injector of the specs, or nil if there are none. Zero Specs are left out.
func New(specs ...Spec) *Injector {
	var faults []*fault
	for _, s := range specs {
		if s.kind != nil {
			faults = append(faults, &fault{spec: s})
		}
	}
	if faults == nil {
		return nil
	}
	return &Injector{faults: faults}
}

// Strike is called on the goroutine that is about to handle a request, for the actor of that kind ("worker") and number (from
// 1). The faults take their turns in the order in which New got them: a slow one sleeps here, a panic one panics with a value
// of type [Injected], and those behind it do not see that request.
func (in *Injector) Strike(kind string, number int) {
	if in == nil {
		return
	}
	for _, f := range in.faults {
		if f.spec.target.matches(kind, number) && f.hits() {
			f.spec.kind.strike(f.spec)
		}
	}
}

// hits decides about one more request.
func (f *fault) hits() bool {
	if limit := f.spec.count; limit > 0 {
		if f.struck.Load() >= limit {
			return false
		}
		// An ordinal must be drawn and decided in one step, or the strikes within the limit would not be the lowest ordinals that
		// the seed picks.
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.struck.Load() >= limit {
			return false
		}
	}
	if !f.spec.picks(f.seen.Add(1)) {
		return false
	}
	f.struck.Add(1)
	return true
}

// Struck returns how often each fault has struck so far, by its text; faults of the same text are added up.
func (in *Injector) Struck() map[string]int64 {
	counts := map[string]int64{}
	if in == nil {
		return counts
	}
	for _, f := range in.faults {
		counts[f.spec.String()] += f.struck.Load()
	}
	return counts
}
