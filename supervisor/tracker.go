package supervisor

import (
	"context"
	"sync"
	"sync/atomic"
)

// Tracker counts goroutines, so that whoever ends a program can wait for them. The zero value is ready; a nil *Tracker counts nothing.
// All methods may be called on any goroutine.
type Tracker struct {
	running   atomic.Int64
	abandoned atomic.Int64
	waiters   atomic.Int64

	mu   sync.Mutex
	zero chan struct{} // closed when running reaches zero; nil while nobody waits
}

// Go runs fn on a new goroutine and counts it until it ends, however it ends.
func (t *Tracker) Go(fn func()) {
	t.enter()
	go func() {
		defer t.leave()
		fn()
	}()
}

// Enter counts one more goroutine (or anything else that has to end) until its token is given back.
func (t *Tracker) Enter() *Token {
	t.enter()
	return &Token{tracker: t}
}

// Running is how many are counted and not abandoned.
func (t *Tracker) Running() int {
	if t == nil {
		return 0
	}
	return int(t.running.Load())
}

// Abandoned is how many were abandoned and have not left since.
func (t *Tracker) Abandoned() int {
	if t == nil {
		return 0
	}
	return int(t.abandoned.Load())
}

// Wait returns nil once none is running, or the context's error if that ends first. A counted goroutine counts what it starts before it
// leaves itself, so when everything is started by counted goroutines, zero is the end; what timers and foreign goroutines start has to be
// stopped first.
func (t *Tracker) Wait(ctx context.Context) error {
	if t == nil {
		return nil
	}
	// The waiter announces itself before it looks at the count, and leave counts down before it looks for waiters: one sees the other.
	t.waiters.Add(1)
	defer t.waiters.Add(-1)
	t.mu.Lock()
	if t.running.Load() <= 0 {
		t.mu.Unlock()
		return nil
	}
	if t.zero == nil {
		t.zero = make(chan struct{})
	}
	zero := t.zero
	t.mu.Unlock()
	select {
	case <-zero:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-zero:
		return nil
	default:
		return ctx.Err()
	}
}

func (t *Tracker) enter() {
	if t != nil {
		t.running.Add(1)
	}
}

func (t *Tracker) leave() {
	if t == nil || t.running.Add(-1) > 0 || t.waiters.Load() == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.zero != nil && t.running.Load() <= 0 {
		close(t.zero)
		t.zero = nil
	}
}

// Token stands for one goroutine that a Tracker counts. Its methods may be called on any goroutine, in any order and more than once.
type Token struct {
	tracker *Tracker
	state   atomic.Int32
}

const (
	tokenRunning = iota
	tokenAbandoned
	tokenLeft
)

// Leave says that the goroutine has ended. If it was abandoned before, it is only no longer counted as abandoned.
func (k *Token) Leave() {
	switch k.state.Swap(tokenLeft) {
	case tokenRunning:
		k.tracker.leave()
	case tokenAbandoned:
		if k.tracker != nil {
			k.tracker.abandoned.Add(-1)
		}
	}
}

// Abandon gives a goroutine up that is known to hang: Wait no longer waits for it. It does nothing once the goroutine has left.
func (k *Token) Abandon() {
	if k.state.CompareAndSwap(tokenRunning, tokenAbandoned) {
		if k.tracker != nil {
			k.tracker.abandoned.Add(1)
		}
		k.tracker.leave()
	}
}
