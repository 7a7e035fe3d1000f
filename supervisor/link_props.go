package supervisor

import (
	"github.com/asynkron/protoactor-go/actor"
)

// props are the child's props with the link in them.
func (l *link) props(c *ChildSpec, base *actor.Props) *actor.Props {
	options := []actor.PropsOption{
		actor.WithMailbox(func() actor.Mailbox {
			inner := c.Mailbox
			if inner == nil {
				inner = actor.Unbounded()
			}
			m := &linkedMailbox{Mailbox: inner(), link: l}
			l.mailbox = m
			return m
		}),
		actor.WithOnInit(func(ctx actor.Context) {
			if l.guard == guardInner && getExtension(ctx, guardID) != nil {
				l.guard = guardOuter
			}
			ctx.Set(l)
		}),
	}
	if l.nested {
		return base.Clone(options...)
	}
	if c.Guarded {
		l.guard = guardActors
	} else {
		options = append(options, actor.WithReceiverMiddleware(l.guarded))
	}
	options = append(options, actor.WithSpawnMiddleware(l.spawning))
	return base.Clone(options...)
}

// guarded is the guard that the supervisor adds to a child that brings none.
func (l *link) guarded(next actor.ReceiverFunc) actor.ReceiverFunc {
	life := new(life)
	l.life = life
	return func(ctx actor.ReceiverContext, envelope *actor.MessageEnvelope) {
		if l.guard != guardInner {
			next(ctx, envelope)
			return
		}
		if life.takes(ctx.Self(), envelope.Message) {
			return
		}
		if life.ends(ctx.ActorSystem(), ctx.Self(), envelope.Message) {
			life.contain(ctx.Self(), envelope.Message, l, func() { next(ctx, envelope) })
			return
		}
		normal := false
		defer func() {
			if !normal {
				life.raise(ctx.Self(), recover(), envelope.Message)
			}
		}()
		next(ctx, envelope)
		normal = true
	}
}

// spawning notes the children of the child, for the day it is abandoned.
func (l *link) spawning(next actor.SpawnFunc) actor.SpawnFunc {
	return func(system *actor.ActorSystem, id string, props *actor.Props, parent actor.SpawnerContext) (*actor.PID, error) {
		pid, err := next(system, id, props, parent)
		if err == nil {
			l.spawned(pid)
		}
		return pid, err
	}
}
