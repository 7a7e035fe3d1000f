package actors

import (
	"sync"
	"time"
)

// Lifecycle is where a server's actor says how far it is, for those who wait outside the tree. Any goroutine may use it.
type Lifecycle struct {
	Started chan struct{} // closed when every listener accepts
	Stopped chan struct{} // closed when the tree has ended

	mu    sync.Mutex
	cause error
	drain Drain
}

// NewLifecycle returns the lifecycle of a server that was not started.
func NewLifecycle() *Lifecycle {
	return &Lifecycle{Started: make(chan struct{}), Stopped: make(chan struct{})}
}

// Cause returns the failure that ended the server, or nil.
func (l *Lifecycle) Cause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// Drain is how a server went down.
type Drain struct {
	Begun    time.Time // zero if there was no drain
	Ended    time.Time
	Answered int64 // replies that had been written when it began
	Forced   bool  // it was ended by force
}

// Drain returns how the server went down, as far as it has.
func (l *Lifecycle) Drain() Drain {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.drain
}

// started and stopped may come again after a restart of the server's actor.
func (l *Lifecycle) started() { l.closeOnce(l.Started) }

func (l *Lifecycle) stopped() {
	l.mu.Lock()
	l.drain.Ended = time.Now()
	l.mu.Unlock()
	l.closeOnce(l.Stopped)
}

func (l *Lifecycle) closeOnce(ch chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-ch:
	default:
		close(ch)
	}
}

// failed notes why the server ends. It is false if that is known already.
func (l *Lifecycle) failed(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return false
	}
	l.cause = err
	return true
}

func (l *Lifecycle) draining(answered int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drain.Begun.IsZero() {
		l.drain.Begun, l.drain.Answered = time.Now(), answered
	}
}

func (l *Lifecycle) forced() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drain.Forced = true
}
