package supervisor

import (
	"errors"
	"strconv"

	"github.com/asynkron/protoactor-go/actor"
)

// Reason is the kind of an actor's end. The zero value is none: it has not ended.
type Reason int

const (
	ReasonNormal      Reason = iota + 1 // it stopped itself, or somebody who is not its supervisor stopped it
	ReasonShutdown                      // it was told to stop by its supervisor, or ended with ErrShutdown
	ReasonFailed                        // it panicked, or ended with any other error
	ReasonKilled                        // it did not stop in time, or was to be killed at once, and was abandoned
	ReasonBudgetSpent                   // a supervisor whose children failed more often than its Budget allows; for its parent the same as a shutdown
)

// String returns the reason in lower case, such as "budget spent", or "none" for 0.
func (r Reason) String() string {
	switch r {
	case 0:
		return "none"
	case ReasonNormal:
		return "normal"
	case ReasonShutdown:
		return "shutdown"
	case ReasonFailed:
		return "failed"
	case ReasonKilled:
		return "killed"
	case ReasonBudgetSpent:
		return "budget spent"
	}
	return "reason " + strconv.Itoa(int(r))
}

// Abnormal says whether a RestartTransient child that ended so is restarted. As in OTP, where a supervisor whose intensity is reached exits with
// shutdown, a spent budget is not abnormal: give a supervisor that has to come back the type RestartPermanent.
func (r Reason) Abnormal() bool { return r == ReasonFailed || r == ReasonKilled }

var (
	// ErrShutdown as the reason of Exit ends an actor with ReasonShutdown; an error that wraps it is OTP's {shutdown, Term}.
	ErrShutdown = errors.New("supervisor: shutdown")
	// ErrKilled as the reason of Exit ends an actor with ReasonKilled, which is abnormal.
	ErrKilled = errors.New("supervisor: killed")
	// ErrBudgetSpent is the reason of a supervisor whose children failed more often than its Budget allows.
	ErrBudgetSpent = errors.New("supervisor: more restarts than the budget allows")
)

// reasonOf is the kind of an end with that error.
func reasonOf(err error) Reason {
	switch {
	case err == nil:
		return ReasonNormal
	case errors.Is(err, ErrBudgetSpent):
		return ReasonBudgetSpent
	case errors.Is(err, ErrShutdown):
		return ReasonShutdown
	case errors.Is(err, ErrKilled):
		return ReasonKilled
	}
	return ReasonFailed
}

// Exit ends the calling actor, which must be ctx's, with a reason that its supervisor sees: nil is ReasonNormal, ErrShutdown and ErrKilled
// are what their names say, and any other error is a failure. The first call decides. The actor receives nothing more but Stopping and Stopped
// once the present message is handled, and its mailbox is lost: to fail and keep the mailbox over the restart, panic.
//
// Under a parent that is not this package's supervisor it stops the actor, and the reason is lost.
func Exit(ctx actor.Context, reason error) {
	if l := linkOf(ctx); l != nil {
		if l.dead.Load() {
			return // the name may be a successor's
		}
		l.exitWith(reason)
	}
	ctx.Stop(ctx.Self())
}
