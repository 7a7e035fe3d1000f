package supervisor_test

import (
	"errors"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// errCrash is what an actor fails with that ends for any reason of the model's that is neither normal, shutdown nor killed.
var errCrash = errors.New("crash")

// leave makes an actor end itself for a reason of the model's.
type leave struct{ reason string }

// reasonError is the argument of supervisor.Exit for a reason of the model's.
func reasonError(reason string) error {
	switch {
	case reason == otp.Normal:
		return nil
	case shutdownLike(reason):
		return supervisor.ErrShutdown
	case reason == otp.Killed:
		return supervisor.ErrKilled
	default:
		return errCrash
	}
}

func shutdownLike(reason string) bool {
	return reason == otp.ShutdownStop || strings.HasPrefix(reason, "{shutdown,")
}

// worker makes props of a child that starts, ends and stops as the case says. A crash is in turn a panic, which leaves the actor in place
// with its mailbox, and an Exit, which does not: both must look the same from outside.
func (p *player) worker(c otp.Child) *actor.Props {
	return actor.PropsFromFunc(func(ctx actor.Context) {
		name := nameOf(ctx.Self())
		switch m := ctx.Message().(type) {
		case *actor.Started:
			if p.startFails(name) {
				p.crash(ctx)
			}
		case *actor.Stopping:
			p.stopping(ctx, name, c)
		case leave:
			p.leaves(name, m.reason)
			if reasonError(m.reason) == errCrash {
				p.crash(ctx)
				return
			}
			supervisor.Exit(ctx, reasonError(m.reason))
		}
	})
}

func (p *player) crash(ctx actor.Context) {
	if p.alternate() {
		panic(errCrash)
	}
	supervisor.Exit(ctx, errCrash)
}

func (p *player) stopping(ctx actor.Context, name string, c otp.Child) {
	if !p.lives(name) {
		return // it has ended by itself, or failed to start: where OTP has no process any more, what is left of this one has nothing to say
	}
	switch c.OnStop {
	case "", otp.ShutdownStop:
	case otp.Hang:
		p.hang(time.Duration(c.Shutdown))
	default:
		if reasonError(c.OnStop) == errCrash && p.alternate() {
			panic(errCrash)
		}
		supervisor.Exit(ctx, reasonError(c.OnStop))
	}
}

// directed is receiver middleware of a supervisor that fails to start or ends itself as the case says.
func (p *player) directed(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(rc actor.ReceiverContext, envelope *actor.MessageEnvelope) {
		ctx := rc.(actor.Context)
		name := nameOf(ctx.Self())
		switch m := envelope.Message.(type) {
		case *actor.Started:
			if p.startFails(name) {
				p.crash(ctx)
				return
			}
		case leave:
			p.leaves(name, m.reason)
			supervisor.Exit(ctx, reasonError(m.reason))
			return
		}
		next(rc, envelope)
	}
}

func nameOf(pid *actor.PID) string { return lastOf(pid.Id) }

func lastOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
