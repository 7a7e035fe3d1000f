package fault

import (
	"sync"
	"sync/atomic"
	"time"
)

// Injector strikes with a set of faults and counts the strikes. Any goroutine may use it at any time. A nil *Injector is
// valid, strikes nothing and has struck nothing.
type Injector struct {
	faults   []*fault
	drawing  []*fault // of faults, those with a lottery
	released chan struct{}
	release  sync.Once
}

// fault is a Spec with its counts.
type fault struct {
	spec    Spec
	lottery *lottery     // nil without every
	mu      sync.Mutex   // held to decide, if spec.count bounds the strikes
	seen    atomic.Int64 // what reached the fault and its target, while it was not spent; not counted with a lottery
	struck  atomic.Int64
}

// New returns an Injector of the specs, or nil if there are none. Zero Specs are left out.
func New(specs ...Spec) *Injector {
	in := &Injector{released: make(chan struct{})}
	epoch := time.Now()
	for _, s := range specs {
		if s.kind == nil {
			continue
		}
		f := &fault{spec: s}
		in.faults = append(in.faults, f)
		if s.every > 0 {
			f.lottery = newLottery(s, func() time.Duration { return time.Since(epoch) })
			in.drawing = append(in.drawing, f)
		}
	}
	if in.faults == nil {
		return nil
	}
	return in
}

// Targets says whether any of the faults is for actors of that kind: "worker", "session", "acceptor" or "pool". The answer
// never changes, so an actor that none is for may leave out Strike, Enter and Leave.
func (in *Injector) Targets(kind string) bool {
	if in == nil {
		return false
	}
	for _, f := range in.faults {
		if f.spec.target.kind == kind {
			return true
		}
	}
	return false
}

// Enter says that the actor of that kind and number is live, until Leave: a fault with every picks among those only. No two
// live actors of a kind may share a number. To enter again, after a restart for instance, changes nothing. It costs next to
// nothing if no fault has every.
func (in *Injector) Enter(kind string, number int) {
	if in == nil {
		return
	}
	for _, f := range in.drawing {
		if f.spec.target.matches(kind, number) {
			f.lottery.enter(number)
		}
	}
}

// Leave says that the actor is not live any more. It does nothing if the actor has not entered.
func (in *Injector) Leave(kind string, number int) {
	if in == nil {
		return
	}
	for _, f := range in.drawing {
		if f.spec.target.matches(kind, number) {
			f.lottery.leave(number)
		}
	}
}

// Strike is called on the goroutine that is about to handle a request or a message, for the actor of that kind and number
// (from 1; 0 for the pool). The faults take their turns in the order in which New got them: a slow one sleeps here, a hang one
// blocks, a panic one panics with a value of type [Injected], and those behind it do not see that request.
func (in *Injector) Strike(kind string, number int) {
	if in == nil {
		return
	}
	for _, f := range in.faults {
		if f.spec.target.matches(kind, number) && !in.ended(f.spec.kind) && f.hits(number) {
			f.spec.kind.strike(f.spec, in.released)
		}
	}
}

// Release ends every hang that is under way. Later ones are not begun, and not counted. It does not wait for those that it ends
// to return, and may be called more than once.
func (in *Injector) Release() {
	if in == nil {
		return
	}
	in.release.Do(func() { close(in.released) })
}

// ended says whether Release has put an end to faults of the kind.
func (in *Injector) ended(k *kind) bool {
	if !k.released {
		return false
	}
	select {
	case <-in.released:
		return true
	default:
		return false
	}
}

// hits decides about one more request or message, of the actor with that number.
func (f *fault) hits(number int) bool {
	limit := f.spec.count
	if limit > 0 && f.struck.Load() >= limit {
		return false
	}
	if f.lottery != nil && !f.lottery.wins(number) {
		return false
	}
	if limit > 0 {
		// An ordinal must be drawn and decided in one step, or the strikes within the limit would not be the lowest ordinals that
		// the seed picks.
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.struck.Load() >= limit {
			return false
		}
	}
	if f.lottery == nil && !f.spec.picks(f.seen.Add(1)) {
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
