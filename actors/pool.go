package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/supervisor"
)

// burstMessage is the type that a failure names if it struck in a handler: everything else is the worker's own.
var burstMessage = fmt.Sprintf("%T", (*Burst)(nil))

// pool is the actor that supervises the workers, one-for-one. Requests do not pass through it: its data path is the
// router.
type pool struct {
	stage *Stage
}

func newPoolProps(st *Stage) *actor.Props {
	return actor.PropsFromProducer(
		func() actor.Actor { return supervisor.Guard(&pool{stage: st}, st.report) },
		actor.WithDispatcher(st.dispatcher),
		supervisor.WithStrategy(newWorkerStrategy(st)),
		supervisor.WithCascade(supervisor.Cascade{Phase: supervisor.Together, Events: st.Hub}),
	)
}

// newWorkerStrategy restarts a worker whose handler crashed at once: that is a request's fault and spends no budget. If
// the worker had served nothing since it was last started, the restart is delayed. Whatever else fails in a worker spends
// the budget, and when that is spent, the pool has failed.
func newWorkerStrategy(st *Stage) *supervisor.Strategy {
	return &supervisor.Strategy{
		Decide: func(child *actor.PID, _ *supervisor.Failure) supervisor.Directive {
			if st.router.servedBy(child) > 0 {
				return supervisor.Restart
			}
			return supervisor.RestartLater
		},
		Exempt:  func(_ *actor.PID, f *supervisor.Failure) bool { return f.Message == burstMessage },
		Budget:  st.WorkerBudget,
		Backoff: st.Backoff,
		OnSpent: func(_ *actor.ActorSystem, _ actor.Supervisor, child *actor.PID, f *supervisor.Failure) {
			st.critical(child.Id, f)
		},
		Events: st.Hub,
	}
}

// Receive implements actor.Actor.
func (p *pool) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		p.onStarted(ctx)
	}
}

// onStarted fills every slot anew: when a pool is restarted its former workers have stopped by then, and what waits in
// the queue is served by the new ones.
func (p *pool) onStarted(ctx actor.Context) {
	for i := range p.stage.router.slots {
		name := fmt.Sprintf("worker-%d", i+1)
		s := newSlot(p.stage.router, i, ctx.Self().Id+"/"+name)
		if old := p.stage.router.slots[i].Swap(s); old != nil {
			p.stage.router.retire(old)
		}
		if _, err := ctx.SpawnNamed(newWorkerProps(s, p.stage, p.stage.report), name); err != nil {
			panic(err)
		}
	}
}
