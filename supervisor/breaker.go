package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// The defaults of a Breaker whose fields are zero.
const (
	DefaultConsecutive = 5                // Consecutive: failures in a row
	DefaultWindow      = 10 * time.Second // Window: over which the Ratio is taken
	DefaultMinimum     = 20               // Minimum: calls in a Window
	DefaultCooldown    = 5 * time.Second  // Cooldown: of an open breaker, at first
)

// ErrBreakerOpen is what every *BreakerOpenError is, for errors.Is.
var ErrBreakerOpen = errors.New("supervisor: the circuit breaker is open")

// BreakerOpenError is what a Breaker answers instead of letting a call through. It is Temporary: an actor that fails with it is restarted
// after a backoff, unless its strategy decides otherwise.
type BreakerOpenError struct {
	State BreakerState // BreakerOpen; BreakerHalfOpen if enough probes are on their way
	// RetryAfter is how long to wait before the next try makes sense: until probes are let through, or, half-open, until those on their way
	// must have ended. It is above zero.
	RetryAfter time.Duration
}

// Error says in which state the breaker is, and after which time to try again.
func (e *BreakerOpenError) Error() string {
	return fmt.Sprintf("%v (%v, retry after %v)", ErrBreakerOpen, e.State, e.RetryAfter)
}

var errBreakerOpen = Temporary(ErrBreakerOpen)

// Unwrap returns ErrBreakerOpen, marked as temporary.
func (e *BreakerOpenError) Unwrap() error { return errBreakerOpen }

// Outcome is what a call that a Breaker let through counts as. The zero value is the default judgement, see Breaker.Judge.
type Outcome int

const (
	CallSucceeded Outcome = iota + 1 // ends a row of failures; of a probe, one towards closing
	CallFailed                       // counts towards opening; of a probe, opens it again
	CallIgnored                      // as if it had not been made
)

// Breaker is a circuit breaker around something fragile: when calls fail, it refuses further ones for a while instead of letting them fail
// slowly, then lets a few probes through, and closes again when they succeed. The pattern is Michael Nygard's (Release It!, 2007).
//
// The zero value is ready and trips after five failures in a row. The fields must not change once it is used; a Breaker must not be copied.
// Its methods may be called on any goroutine. It holds no goroutine and no timer: time passes when it is asked.
type Breaker struct {
	Consecutive int // failures in a row that open it; 0: DefaultConsecutive, negative: any number

	// Ratio of the calls within Window that fail opens it, once there are Minimum of them. 0 or less: no ratio does. The window moves on in
	// tenths, so that it reaches back between nine tenths of Window and the whole.
	Ratio   float64
	Window  time.Duration // 0 or less: DefaultWindow
	Minimum int           // 0 or less: DefaultMinimum

	// Cooldown is how long it stays open. Each time the probes fail it doubles, up to MaxCooldown; closing resets it.
	Cooldown    time.Duration // 0 or less: DefaultCooldown
	MaxCooldown time.Duration // below Cooldown it is Cooldown, so that nothing doubles

	// Probes is how many calls, and no more, are let through at a time once the cooldown is over. When as many in all have succeeded it
	// closes; the first that fails opens it again. 0 or less: 1.
	Probes int
	// ProbeTimeout is how long the probes that are on their way at the same time may take, since the first of them was let through. After
	// that they are taken for failed when the next call comes, so that a probe that hangs does not close the door for ever. 0 or less: Cooldown.
	ProbeTimeout time.Duration

	// Judge says what an ended call counts as. nil: nil is CallSucceeded, context.Canceled is CallIgnored (the caller went away, the callee said
	// nothing), any other error is CallFailed; so it is with
	// an Outcome of 0. It is not asked about a panic or a runtime.Goexit, which are failures always.
	Judge func(err error) Outcome

	// OnChange is told of each change of state, after it, on the goroutine whose call made it, which it must not keep; what it panics with is
	// swallowed. Generations say the order, as two goroutines may be told at once. nil: nobody.
	OnChange func(BreakerChange)

	Now func() time.Time // nil: time.Now

	mu   sync.Mutex // never held while a function of the user runs
	core *breakerCore
}

// BreakerChange is one change of a Breaker's state.
type BreakerChange struct {
	From       BreakerState  // the state before
	To         BreakerState  // the state now
	Generation uint64        // the new one: 1 for the first change, one more with each
	Cooldown   time.Duration // how long it stays open; 0 unless To is BreakerOpen
}

// Do calls fn, unless the breaker is open: then it returns a *BreakerOpenError and does not. A panic or a runtime.Goexit of fn counts as a
// failure and goes on as if there were no breaker. A result that comes after the state has changed, or after the probe's time, counts nothing.
func (b *Breaker) Do(fn func() error) error {
	generation, err := b.enter()
	if err != nil {
		return err
	}
	outcome := CallFailed
	defer func() { b.leave(generation, outcome) }()
	err = fn()
	outcome = b.judge(err)
	return err
}

// Enter asks for a call whose end comes later, as an actor's request and the reply to it: nil, and a *BreakerOpenError, if it may not be made.
// Whoever gets a Pass calls Done on it. A Pass that is forgotten costs nothing while the breaker is closed, and a probe's until ProbeTimeout.
func (b *Breaker) Enter() (*Pass, error) {
	generation, err := b.enter()
	if err != nil {
		return nil, err
	}
	return &Pass{breaker: b, generation: generation}, nil
}

// Pass is the leave for one call. It may be used on any goroutine.
type Pass struct {
	breaker    *Breaker
	generation uint64
	done       atomic.Bool
}

// Done says how the call ended. Only the first counts.
func (p *Pass) Done(err error) {
	if !p.done.CompareAndSwap(false, true) {
		return
	}
	outcome := CallFailed
	defer func() { p.breaker.leave(p.generation, outcome) }()
	outcome = p.breaker.judge(err)
}

// State is the state at this moment: half-open as soon as the cooldown is over, though nobody has called yet.
func (b *Breaker) State() BreakerState {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ready().stateAt(now)
}

// Generation is how often the state has changed.
func (b *Breaker) Generation() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ready().generation
}

func (b *Breaker) enter() (generation uint64, err error) {
	now := b.now()
	b.mu.Lock()
	core := b.ready()
	from, before := core.state, core.generation
	wait, ok := core.enter(now)
	change, generation := core.changeSince(from, before), core.generation
	state := core.state
	b.mu.Unlock()
	b.tell(change)
	if !ok {
		return 0, &BreakerOpenError{State: state, RetryAfter: max(wait, 1)}
	}
	return generation, nil
}

func (b *Breaker) leave(generation uint64, outcome Outcome) {
	now := b.now()
	b.mu.Lock()
	core := b.ready()
	from, before := core.state, core.generation
	core.leave(now, generation, outcome)
	change := core.changeSince(from, before)
	b.mu.Unlock()
	b.tell(change)
}

func (b *Breaker) judge(err error) Outcome {
	if b.Judge != nil {
		if outcome := b.Judge(err); outcome != 0 {
			return outcome
		}
	}
	switch {
	case err == nil:
		return CallSucceeded
	case errors.Is(err, context.Canceled):
		return CallIgnored
	}
	return CallFailed
}

func (b *Breaker) tell(change BreakerChange) {
	if b.OnChange == nil || change.Generation == 0 {
		return
	}
	defer func() { _ = recover() }()
	b.OnChange(change)
}

func (b *Breaker) now() time.Time {
	if b.Now != nil {
		return b.Now()
	}
	return time.Now()
}

// ready makes the core on first use; mu is held.
func (b *Breaker) ready() *breakerCore {
	if b.core == nil {
		b.core = newBreakerCore(b)
	}
	return b.core
}
