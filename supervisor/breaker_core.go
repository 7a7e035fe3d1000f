package supervisor

import (
	"strconv"
	"time"
)

// BreakerState is one of the three states of a Breaker.
type BreakerState int

const (
	BreakerClosed   BreakerState = iota // calls go through
	BreakerOpen                         // calls are refused
	BreakerHalfOpen                     // a few go through, to see whether they succeed
)

// String returns "closed", "open" or "half-open".
func (s BreakerState) String() string {
	switch s {
	case BreakerClosed:
		return "closed"
	case BreakerOpen:
		return "open"
	case BreakerHalfOpen:
		return "half-open"
	}
	return "state " + strconv.Itoa(int(s))
}

// breakerCore is the state machine of a Breaker, without its lock. Every change of state begins a new generation; what was let through in an
// older one counts nothing when it ends. A call that comes with a time before the last one's is taken to come at that one's.
type breakerCore struct {
	// What it was told, with the defaults put in.
	consecutive  int // 0: any number
	ratio        float64
	minimum      int
	cooldown     time.Duration
	maxCooldown  time.Duration
	probes       int
	probeTimeout time.Duration

	state      BreakerState
	generation uint64
	latest     time.Time

	row    int           // failures in a row, closed
	window *breakerCount // closed; nil without a ratio

	pause time.Duration // of the present or last opening
	until time.Time     // open: the end of the cooldown; half-open: of the running probes' time

	running   int // probes on their way
	succeeded int // probes that have
}

func newBreakerCore(b *Breaker) *breakerCore {
	positive := func(d, otherwise time.Duration) time.Duration {
		if d <= 0 {
			return otherwise
		}
		return d
	}
	c := &breakerCore{
		consecutive: max(b.Consecutive, 0), ratio: b.Ratio, minimum: b.Minimum, probes: max(b.Probes, 1),
		cooldown: positive(b.Cooldown, DefaultCooldown),
	}
	if b.Consecutive == 0 {
		c.consecutive = DefaultConsecutive
	}
	if c.minimum <= 0 {
		c.minimum = DefaultMinimum
	}
	c.maxCooldown = max(b.MaxCooldown, c.cooldown)
	c.probeTimeout = positive(b.ProbeTimeout, c.cooldown)
	if c.ratio > 0 {
		c.window = &breakerCount{span: max(1, positive(b.Window, DefaultWindow)/breakerTenths)}
	}
	return c
}

// enter asks for a call. If it is refused, wait is how long until another try makes sense.
func (c *breakerCore) enter(now time.Time) (wait time.Duration, ok bool) {
	now = c.advance(now)
	if c.state == BreakerOpen && !now.Before(c.until) {
		c.become(BreakerHalfOpen)
	}
	if c.state == BreakerHalfOpen && c.running > 0 && !now.Before(c.until) {
		c.reopen(now) // the probes hang
	}
	switch c.state {
	case BreakerClosed:
		return 0, true
	case BreakerHalfOpen:
		if c.running+c.succeeded < c.probes {
			if c.running++; c.running == 1 {
				c.until = now.Add(c.probeTimeout)
			}
			return 0, true
		}
	}
	return c.until.Sub(now), false
}

// leave takes the result of a call that was let through in the given generation.
func (c *breakerCore) leave(now time.Time, generation uint64, outcome Outcome) {
	now = c.advance(now)
	if generation != c.generation {
		return
	}
	switch c.state {
	case BreakerClosed:
		c.count(now, outcome)
	case BreakerHalfOpen:
		c.running--
		c.probed(now, outcome)
	}
}

func (c *breakerCore) count(now time.Time, outcome Outcome) {
	failed := outcome == CallFailed
	switch {
	case outcome == CallIgnored:
		return
	case failed:
		c.row++
	default:
		c.row = 0
	}
	tripped := c.consecutive > 0 && c.row >= c.consecutive
	if c.window != nil {
		calls, failures := c.window.add(now, failed)
		tripped = tripped || failed && calls >= c.minimum && float64(failures) >= c.ratio*float64(calls)
	}
	if tripped {
		c.pause = c.cooldown
		c.open(now)
	}
}

func (c *breakerCore) probed(now time.Time, outcome Outcome) {
	switch outcome {
	case CallSucceeded:
		if c.succeeded++; c.succeeded >= c.probes {
			c.become(BreakerClosed)
		}
	case CallFailed:
		c.reopen(now)
	}
}

func (c *breakerCore) reopen(now time.Time) {
	if c.pause > c.maxCooldown/2 { // doubling would pass the maximum, or overflow
		c.pause = c.maxCooldown
	} else {
		c.pause *= 2
	}
	c.open(now)
}

func (c *breakerCore) open(now time.Time) {
	c.become(BreakerOpen)
	c.until = now.Add(c.pause)
}

func (c *breakerCore) become(state BreakerState) {
	c.state = state
	c.generation++
	c.row, c.running, c.succeeded = 0, 0, 0
	if c.window != nil {
		c.window.forget()
	}
}

func (c *breakerCore) stateAt(now time.Time) BreakerState {
	if c.state == BreakerOpen && !now.Before(c.until) {
		return BreakerHalfOpen
	}
	return c.state
}

// changeSince is what became of the state; its Generation is 0 if nothing did. From open to half-open and back at once cannot be: a probe
// has to run first.
func (c *breakerCore) changeSince(from BreakerState, generation uint64) BreakerChange {
	if c.generation == generation {
		return BreakerChange{}
	}
	change := BreakerChange{From: from, To: c.state, Generation: c.generation}
	if c.state == BreakerOpen {
		change.Cooldown = c.pause
	}
	return change
}

func (c *breakerCore) advance(now time.Time) time.Time {
	if now.Before(c.latest) {
		return c.latest
	}
	c.latest = now
	return now
}

const breakerTenths = 10

// breakerCount counts calls and failures of the last ten spans, the present one included.
type breakerCount struct {
	span     time.Duration
	origin   time.Time // of the first call
	newest   int64     // the number of the present span, since the origin
	calls    [breakerTenths]int
	failures [breakerTenths]int
}

func (w *breakerCount) add(now time.Time, failed bool) (calls, failures int) {
	if w.origin.IsZero() {
		w.origin = now
	}
	number := int64(now.Sub(w.origin) / w.span)
	for range min(number-w.newest, breakerTenths) {
		w.newest++
		w.calls[w.newest%breakerTenths], w.failures[w.newest%breakerTenths] = 0, 0
	}
	// If more than ten spans passed, all of them are empty now, whatever their numbers.
	w.newest = number
	i := number % breakerTenths
	w.calls[i]++
	if failed {
		w.failures[i]++
	}
	for i := range breakerTenths {
		calls += w.calls[i]
		failures += w.failures[i]
	}
	return calls, failures
}

func (w *breakerCount) forget() {
	*w = breakerCount{span: w.span}
}
