package supervisor

import (
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before a restart: any time below a ceiling that doubles from Min to Max with every failure. It is the "full
// jitter" of Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. The zero value does not wait.
type Backoff struct {
	Min time.Duration // the first ceiling; 0 or less: no delay, ever
	Max time.Duration // the last one; below Min it is Min
	// Healthy is how long after the end of a delay the next failure has to come for the ceiling to be Min again. 0: Max.
	Healthy time.Duration
}

// BackoffState is how far a Backoff has got for one child. It is not safe for concurrent use.
type BackoffState struct {
	backoff Backoff
	ceiling time.Duration // of the last delay; 0 before the first
	until   time.Time     // the end of the last delay
}

// NewBackoffState makes the state of a child that has not failed yet.
func NewBackoffState(b Backoff) *BackoffState {
	b.Max = max(b.Min, b.Max)
	if b.Healthy <= 0 {
		b.Healthy = b.Max
	}
	return &BackoffState{backoff: b}
}

// Next is the delay after a failure at the time now. rnd returns a number in [0, 1), as rand.Float64 does; nil is rand.Float64.
func (s *BackoffState) Next(now time.Time, rnd func() float64) time.Duration {
	b := s.backoff
	if b.Min <= 0 {
		return 0
	}
	switch {
	case s.ceiling == 0 || now.Sub(s.until) >= b.Healthy:
		s.ceiling = b.Min
	case s.ceiling > b.Max/2: // doubling would pass the cap, or overflow
		s.ceiling = b.Max
	default:
		s.ceiling *= 2
	}
	if rnd == nil {
		rnd = rand.Float64
	}
	delay := time.Duration(min(max(rnd(), 0), 1) * float64(s.ceiling))
	s.until = now.Add(delay)
	return delay
}

// Ceiling is the bound of the last delay, 0 before the first.
func (s *BackoffState) Ceiling() time.Duration { return s.ceiling }

// Reset forgets every failure.
func (s *BackoffState) Reset() { s.ceiling, s.until = 0, time.Time{} }
