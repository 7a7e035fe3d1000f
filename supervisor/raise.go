package supervisor

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// How an actor fails with an error. In its Receive: Fail. From a goroutine or a timer that works for it, where a panic would end the process:
// Protect. From anywhere else: Raise.
//
// (Proto.Actor's own EscalateFailure, which an actor can reach by asserting its context to actor.Supervisor, does not go through the guard:
// nobody reports that failure, it has no stack, and the message goes on being handled after it.)

// Fail ends the handling of the present message with a failure, as a panic does, but one that is meant: the Failure's Value is err, and
// its stack begins at the caller. It does not return. If err is a *Failure already, it is passed on as it is.
//
//go:noinline
func Fail(ctx actor.Context, err error) {
	if f, ok := any(err).(*Failure); ok && f != nil { // not one that it wraps: then the wrapping says more
		panic(f)
	}
	f := NewFailure(err, ctx.Message())
	f.PCs = f.PCs[1:] // without Fail itself
	panic(f)
}

// Raise makes the guarded actor that it is sent to fail, when it comes to this message. The actor does not receive it, and once the actor's end
// has begun the failure is only reported. Value is what the Failure's Value will be; a *Failure, as NewFailure makes it of what went wrong
// where it went wrong, is passed on as it is, and brings its stack along. An unguarded actor receives it as any other message.
type Raise struct {
	Value any // what the Failure's Value will be, or a *Failure

	life uint64 // of the incarnation that is meant; 0: whichever it is
}

// Protect makes a function to run on a goroutine of its own, or by a timer, on behalf of the actor. It runs fn; and if that panics, exits by
// runtime.Goexit or returns an error, the actor fails with it: the stack is fn's, the message the one that is being handled now. Only this
// incarnation of the actor does: a later one, or a successor of the same name, hears nothing of it. It is what a link is in Erlang, in one
// direction.
//
// It is called on the actor's goroutine; the actor must be guarded, or it panics. What fn reads must be captured before, ctx is not for it.
func Protect(ctx actor.Context, fn func() error) func() {
	life := lifeOf(ctx)
	if life == nil {
		panic("supervisor: Protect needs a guarded actor")
	}
	message, birth, self := ctx.Message(), life.birth, ctx.Self()
	process, alive := ctx.ActorSystem().ProcessRegistry.Get(self)
	raise := func(f *Failure) {
		if alive { // to the process, not the name: it could be a successor's
			process.SendUserMessage(self, Raise{Value: f, life: birth})
		}
	}
	return func() { (&guardedCall{fn: fn, message: message, raise: raise}).run() }
}

// guardedCall is named as the guards are, so that a Failure's stack ends above it.
type guardedCall struct {
	fn      func() error
	message any
	raise   func(*Failure)
}

func (c *guardedCall) run() {
	normal := false
	defer func() {
		if !normal {
			c.raise(failed(recover(), c.message))
		}
	}()
	err := c.fn()
	normal = true
	if err != nil {
		c.raise(failureOf(err, c.message))
	}
}

// births counts the incarnations of all guarded actors.
var births atomic.Uint64

// lifeOf finds the guard of an actor, nil if it has none.
func lifeOf(ctx actor.Context) *life {
	switch g := ctx.Actor().(type) {
	case *guard:
		return &g.life
	case *guardedSupervisor:
		return &g.life
	}
	if extension, ok := getExtension(ctx, guardID).(*guardExtension); ok {
		return &extension.life
	}
	if l := linkOf(ctx); l != nil {
		return l.life
	}
	return nil
}

// takes says whether the message is for the guard alone, and obeys it: it panics with the failure, unless it is too late for that.
func (l *life) takes(self *actor.PID, message any) bool {
	r, ok := message.(Raise)
	if !ok {
		return false
	}
	if r.life != 0 && r.life != l.birth {
		return true
	}
	f := failureOf(r.Value, message)
	l.tell(self, f)
	if !l.ending {
		panic(f)
	}
	return true
}
