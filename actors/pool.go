package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
)

// burstMessage is the type that a failure names if it struck in a handler: everything else is the worker's own.
var burstMessage = fmt.Sprintf("%T", (*Burst)(nil))

// pool is the actor that supervises the workers, one-for-one. Requests do not pass through it: its data path is the
// router.
type pool struct {
	stage  *Stage
	ending bool // its workers are being stopped, and are not replaced
}

// Receive implements actor.Actor.
func (p *pool) Receive(ctx actor.Context) {
	p.stage.seams.pool.strikeOn(ctx.Message(), 0)
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.onStarted(ctx)
	case *actor.Terminated:
		p.onTerminated(ctx, m)
	case messages.Resize:
		p.onResize(ctx)
	case *actor.Restarting, *actor.Stopping:
		p.onEnding()
	}
}

// onStarted starts the workers. When a pool is restarted its former workers have stopped by then, and what waits in the
// queue is served by the new ones.
func (p *pool) onStarted(ctx actor.Context) {
	p.stage.seams.pool.enter(0)
	p.stage.router.pool.Store(ctx.Self())
	p.stage.router.resizing.Store(false) // it may have crashed on being told to
	p.fill(ctx)
}

// onTerminated starts a worker in place of one that has stopped, or was given up. A worker that was given up and ends at
// last is nobody's any more.
func (p *pool) onTerminated(ctx actor.Context, m *actor.Terminated) {
	p.stage.router.free(m.Who)
	if !p.ending && !supervisor.Draining(ctx) {
		p.fill(ctx)
	}
}

// onResize starts workers in empty places, and stops those beyond the size that are idle. One that serves is stopped at
// another time.
func (p *pool) onResize(ctx actor.Context) {
	r := p.stage.router
	r.resizing.Store(false)
	if p.ending || supervisor.Draining(ctx) {
		return
	}
	p.fill(ctx)
	for i := len(r.slots) - 1; i >= int(r.size.Load()); i-- {
		if s := r.slots[i].Load(); s != nil && r.idle.withdraw(i) {
			ctx.Stop(s.pid.Load()) // nobody can claim it any more
		}
	}
}

func (p *pool) onEnding() {
	p.ending = true
	p.stage.seams.pool.leave(0)
}

// fill starts a worker in every empty place, as far as the size goes. Each has a number of its own: a name may be in use
// for as long as a handler does not return.
func (p *pool) fill(ctx actor.Context) {
	r := p.stage.router
	for i := range int(r.size.Load()) {
		if r.slots[i].Load() != nil {
			continue
		}
		r.workers++
		name := fmt.Sprintf("worker-%d", r.workers)
		s := newSlot(r, i, r.workers, ctx.Self().Id+"/"+name)
		s.worked.Store(r.leastWorked())
		r.slots[i].Store(s)
		r.placed.Add(1)
		if _, err := ctx.SpawnNamed(newWorkerProps(s, p.stage), name); err != nil {
			panic(err)
		}
	}
}
