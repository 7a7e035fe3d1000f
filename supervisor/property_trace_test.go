package supervisor_test

import (
	"time"

	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// How the hub's events become the model's. An end of an actor by itself is put into the trace where it happens, as it was when OTP was recorded:
// its supervisor may hear of it much later. But it must hear of it, by the end of the step, and tell of it once and with the right reason.

// on hears of one event. Restarting, BudgetSpent and the like have no counterpart: OTP cannot be seen to decide.
func (p *player) on(e supervisor.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := lastOf(e.Path)
	switch e.Kind {
	case supervisor.Started, supervisor.Restarted:
		p.emit(otp.Started, name, "")
	case supervisor.StartFailed:
		p.startFailed(name)
	case supervisor.Exited:
		p.exited(name, e)
	case supervisor.Stopped, supervisor.Killed:
		p.stopped(name, e)
	case supervisor.Ended:
		// Of a supervisor that ends itself: its children are gone, and its own supervisor may not have looked yet.
		if d := p.leaving[name]; d != nil {
			d.told = true
			p.emit(otp.Exited, name, d.reason)
		}
	}
}

func (p *player) exited(name string, e supervisor.Event) {
	reason := reasonOf(e)
	d := p.leaving[name]
	delete(p.leaving, name)
	switch {
	case d == nil: // a supervisor, for its budget or its significant children
		p.emit(otp.Exited, name, reason)
	case reason != classOf(d.reason):
		p.emit(otp.Exited, name, d.reason+", heard as "+reason)
	case !d.told:
		p.emit(otp.Exited, name, d.reason+", not said by itself")
	}
}

func (p *player) stopped(name string, e supervisor.Event) {
	d := p.leaving[name]
	switch {
	case d != nil:
		// It had ended itself before its supervisor told it to stop, and is no news. OTP's supervisor takes such an exit out of its
		// mailbox without a word, too.
		delete(p.leaving, name)
	case !p.running[name] && p.doomed[name] > 0:
		// It was told to stop before its start had failed. OTP's supervisor would have waited for the start, and seen it fail: it was the
		// same to the child, which has never started.
		p.startFailed(name)
	default:
		p.emit(otp.Stopped, name, reasonOf(e))
	}
}

// startFailed: of a supervisor, it may be that only a child of it was made to fail.
func (p *player) startFailed(name string) {
	if _, super := p.strategy[name]; !super || p.doomed[name] > 0 {
		p.doomed[name]--
	}
	p.emit(otp.Failed, name, "")
}

func (p *player) emit(kind otp.Kind, name, reason string) {
	p.running[name] = kind == otp.Started
	p.once[name] = p.once[name] || kind == otp.Started
	p.events = append(p.events, otp.Event{Kind: kind, Name: name, Reason: reason})
}

// reasonOf is the model's word for the reason of an event. There is one for all failures, and one for all shutdowns.
func reasonOf(e supervisor.Event) string {
	switch {
	case e.Reason == supervisor.ReasonNormal:
		return otp.Normal
	case e.Reason == supervisor.ReasonShutdown, e.Reason == supervisor.ReasonBudgetSpent:
		return otp.ShutdownStop // OTP's supervisor exits with shutdown when its intensity is reached
	case e.Reason == supervisor.ReasonKilled:
		return otp.Killed
	case e.Reason == supervisor.ReasonFailed && e.Failure != nil && e.Failure.Unwrap() == errCrash:
		return errCrash.Error()
	}
	return e.Reason.String() + "?"
}

// classOf is the word that reasonOf has for a reason of the model's.
func classOf(reason string) string {
	switch {
	case reason == otp.Normal, reason == otp.Killed:
		return reason
	case shutdownLike(reason):
		return otp.ShutdownStop
	}
	return errCrash.Error()
}

// What the actors of the case ask and tell, on their own goroutines.

// startFails says whether a start has to fail; if it does and something is to happen meanwhile, it waits for that.
func (p *player) startFails(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.failing[name]
	if f == nil || f.times == 0 {
		p.alive[name] = true
		return false
	}
	f.times--
	p.doomed[name]++
	if f.times == 0 && f.with != nil {
		i := &interruption{*f.with, make(chan struct{})}
		p.during = i
		p.mu.Unlock()
		<-i.release
		p.mu.Lock()
	}
	return true
}

// leaves notes that an actor ends itself. A supervisor has to stop its children first.
func (p *player) leaves(name, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive[name] = false
	d := &departure{reason: reason}
	p.leaving[name] = d
	if _, super := p.strategy[name]; !super {
		d.told = true
		p.emit(otp.Exited, name, reason)
	}
}

// lives says whether a worker has started and not ended itself.
func (p *player) lives(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alive[name]
}

// alternate is every other time true.
func (p *player) alternate() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.crashes++
	return p.crashes%2 == 0
}

// hang blocks for ever, or until the case is over.
func (p *player) hang(limit time.Duration) {
	if limit == 0 {
		limit = supervisor.DefaultShutdown
	}
	p.mu.Lock()
	p.hanging = append(p.hanging, hanging{time.Now().Add(limit)})
	p.mu.Unlock()
	<-p.release
}
