package actors

import (
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/ctxext"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
)

// Here the tree is declared, from the root down: who supervises whom, what becomes of a child that fails, and in which
// order a pill takes it down.
//
//	server              a pool that fails is restarted, an acceptor resumed; ServerBudget for all of them, and when that is
//	│                   spent the server drains and says why. A pill: the acceptors together, then the pool
//	├── pool            one-for-one: a worker whose handler crashed is restarted, for nothing; whatever else fails in a worker
//	│   │               spends WorkerBudget, and when that is spent the pool has failed. A pill: all workers together
//	│   └── worker-1 … N
//	└── acceptor-1 … K  one-for-one: a session that crashed is restarted, each within a SessionBudget of its own, and when that
//	    │               is spent it is stopped; the peer's errors stop it too. A pill: all sessions together
//	    └── session-1 … M
//
// Every actor stands in a guard, and runs on the stage's dispatcher, which counts its goroutines.

// NewServerProps returns the props of a server. They are for one spawn: the listeners are its own from then on. answer gives
// the answer to a message that has a sender and is not the server's own, or nil; it is called on the server's goroutine.
func NewServerProps(st *Stage, listeners []*transport.Listener, lc *Lifecycle, answer func(question any) any) *actor.Props {
	var s *server
	upward := func(_ *actor.ActorSystem, sup actor.Supervisor, child *actor.PID, f *supervisor.Failure) {
		s.fail(sup, child, f)
	}
	return actor.PropsFromProducer(
		func() actor.Actor {
			s = &server{stage: st, listeners: listeners, lifecycle: lc, answer: answer}
			return supervisor.Guard(s, st.report)
		},
		actor.WithDispatcher(st.dispatcher),
		supervisor.WithStrategy(&supervisor.Strategy{
			Decide:     decideServer,
			Budget:     st.ServerBudget,
			OnSpent:    upward,
			OnEscalate: upward,
			Events:     st.Hub,
		}),
		supervisor.WithCascade(supervisor.Cascade{
			Phase:   acceptorsFirst,
			OnDrain: func(ctx actor.Context) { s.onDrain(ctx) },
			Events:  st.Hub,
		}),
	)
}

// decideServer resumes an acceptor: a restart would stop all its sessions. A pool is restarted, at the cost of a pause.
func decideServer(child *actor.PID, f *supervisor.Failure) supervisor.Directive {
	if d := supervisor.DirectiveFor(supervisor.Classify(f)); d == supervisor.Escalate {
		return d
	}
	if isAcceptor(child) && f.Phase != supervisor.PhaseStarted {
		return supervisor.Resume
	}
	return supervisor.Restart
}

func isAcceptor(pid *actor.PID) bool {
	return strings.HasPrefix(pid.Id[strings.LastIndexByte(pid.Id, '/')+1:], "acceptor-")
}

// acceptorsFirst is the order of the drain: no acceptor waits for another one, and the pool waits for all.
func acceptorsFirst(child *actor.PID) int {
	if isAcceptor(child) {
		return 1
	}
	return 0
}

// newPoolProps returns the props of the pool.
func newPoolProps(st *Stage) *actor.Props {
	return actor.PropsFromProducer(
		func() actor.Actor { return supervisor.Guard(&pool{stage: st}, st.report) },
		actor.WithDispatcher(st.dispatcher),
		supervisor.WithStrategy(newWorkerStrategy(st)),
		supervisor.WithCascade(supervisor.Cascade{Phase: supervisor.Together, Events: st.Hub}),
	)
}

// newWorkerStrategy restarts a worker whose handler crashed at once: that is a request's fault and spends no budget. If
// the worker had served nothing since it was last started, the restart is delayed — unless a quarter of the workers are
// away already, as a client whose every request crashes must not park them all. Whatever else fails in a worker spends the
// budget, and when that is spent, the pool has failed.
func newWorkerStrategy(st *Stage) *supervisor.Strategy {
	return &supervisor.Strategy{
		Decide: func(child *actor.PID, _ *supervisor.Failure) supervisor.Directive {
			if st.router.hasServed(child) || st.router.resting() > int(st.router.size.Load())/4 {
				return supervisor.Restart
			}
			return supervisor.RestartLater
		},
		Exempt:  func(_ *actor.PID, f *supervisor.Failure) bool { return f.Message == burstMessage },
		Budget:  st.WorkerBudget,
		Backoff: st.Backoff,
		OnSpent: func(_ *actor.ActorSystem, sup actor.Supervisor, child *actor.PID, f *supervisor.Failure) {
			sup.StopChildren(child)
			st.critical(child.Id, f)
		},
		Events: st.Hub,
	}
}

// newWorkerProps returns the props of the worker of one slot, whose mailbox is the slot's.
func newWorkerProps(s *slot, st *Stage) *actor.Props {
	return actor.PropsFromProducer(
		func() actor.Actor { return supervisor.Guard(newWorker(s, st), st.report) },
		actor.WithMailbox(func() actor.Mailbox { return s.mailbox }),
		actor.WithDispatcher(st.dispatcher),
		actor.WithOnInit(func(ctx actor.Context) { ctx.Set(extended{}) }),
	)
}

// extended is an extension that a worker's context has so that it has room for extensions: the guard asks for one that is not
// there at each restart, and of a context without room the library's Get panics, which costs as much as the handler's panic.
type extended struct{}

var extendedID = ctxext.NextContextExtensionID()

func (extended) ExtensionID() ctxext.ContextExtensionID { return extendedID }

// newAcceptorProps returns the props of the acceptor of one listener. They are for one spawn.
func newAcceptorProps(st *Stage, l *transport.Listener, number int) *actor.Props {
	loop := newAcceptLoop(st, l)
	report := func(self *actor.PID, f *supervisor.Failure) {
		st.report(self, f)
		// The message that it failed on is lost: when it is resumed, it looks at everything again.
		loop.woken.Store(false)
		loop.wakeLater()
	}
	return actor.PropsFromProducer(
		func() actor.Actor { return supervisor.Guard(&acceptor{stage: st, loop: loop, number: number}, report) },
		actor.WithMailbox(func() actor.Mailbox { return loop.mailbox }),
		actor.WithDispatcher(st.dispatcher),
		supervisor.WithStrategy(newSessionStrategy(st)),
		supervisor.WithCascade(supervisor.Cascade{
			Phase:   supervisor.Together,
			OnDrain: func(ctx actor.Context) { supervisor.Unguard(ctx.Actor()).(*acceptor).onDrain(ctx) },
			Events:  st.Hub,
		}),
	)
}

// newSessionStrategy restarts a session that crashed, with a budget of its own; an error of the peer stops it.
func newSessionStrategy(st *Stage) *supervisor.Strategy {
	return &supervisor.Strategy{
		Decide: func(_ *actor.PID, f *supervisor.Failure) supervisor.Directive {
			if d := supervisor.DirectiveFor(supervisor.Classify(f)); d != supervisor.Escalate {
				return d
			}
			return supervisor.Stop // one session is never critical for the others
		},
		Budget:   st.SessionBudget,
		PerChild: true,
		Backoff:  st.Backoff,
		Events:   st.Hub,
	}
}

// newSessionProps returns the props of the sessions of one acceptor, which share them: props of their own would take a
// quarter KiB of each. spawning is the connection whose session is being spawned, for the mailbox; it is read on the
// acceptor's goroutine. The session itself finds its connection by its PID, when it is spawned and after a restart.
func newSessionProps(st *Stage, spawning **connection) *actor.Props {
	return actor.PropsFromProducer(
		func() actor.Actor { return supervisor.GuardSteady(&session{stage: st}, st.report) },
		actor.WithMailbox(func() actor.Mailbox { return &(*spawning).mailbox }),
		actor.WithDispatcher(st.dispatcher),
	)
}
