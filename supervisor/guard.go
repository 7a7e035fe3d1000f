package supervisor

import (
	"runtime"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/ctxext"
)

// Report is told of a failure on the goroutine that failed, before anything is done about it. It must be quick and must not block;
// what it panics with is swallowed.
type Report func(self *actor.PID, f *Failure)

// Guard stands around an actor, so that a panic or a runtime.Goexit in its Receive becomes a *Failure that Proto.Actor escalates to the
// parent. A *Failure that the actor panics with itself is passed on as it is. report may be nil; it hears of every failure. So does an error
// that is sent to the actor as a failure: see Raise. What the runtime does not let anybody recover (a concurrent map write, a stack or a heap that
// is exhausted, a panic on another goroutine: see Protect) ends the process, guard or not.
//
// Once the actor's end has begun — from Stopping or Restarting on, with Stopped and everything that arrives in between — failures are
// reported only: a panic there leaves the library's bookkeeping half done, and the actor is resurrected, or stays a zombie, or never
// tells its parent that it ended. What the actor does from then on runs on a goroutine of its own, which its Receive waits for, because a
// runtime.Goexit would cut the bookkeeping short as well.
//
// The guard also undoes a resurrection. The library obeys a Restart that reaches an actor after its Stop (a strategy and somebody's Stop
// can cross). A guarded actor that is still stopping then stops again after the restart; one that has stopped ignores it.
//
// A runtime.Goexit before the end needs our Dispatcher: the goroutine dies whatever is done, and the library's own dispatcher leaves the
// mailbox marked as running, for ever. If a implements actor.SupervisorStrategy, so does the guard. Use Guard or WithGuard, not both:
// report would hear everything twice.
func Guard(a actor.Actor, report Report) actor.Actor {
	g := &guard{inner: a, life: life{report: report}}
	if s, ok := a.(actor.SupervisorStrategy); ok {
		return &guardedSupervisor{guard: g, strategy: s}
	}
	return g
}

// GuardSteady is Guard for an actor that never calls runtime.Goexit once its end has begun, and on whose goroutine nobody else's code does:
// then its end needs no goroutine of its own, which costs more than all else in the end of a small actor. A panic is contained as ever.
// It is not for the children of a Spec, whose supervisor could not abandon them in their end.
func GuardSteady(a actor.Actor, report Report) actor.Actor {
	return &guard{inner: a, life: life{report: report}, steady: true}
}

// Unguard returns the actor that Guard was given, or a itself if it is not guarded; for those who look at actor.Context.Actor.
func Unguard(a actor.Actor) actor.Actor {
	switch g := a.(type) {
	case *guard:
		return g.inner
	case *guardedSupervisor:
		return g.inner
	}
	return a
}

// WithGuard is the same guard as receiver middleware, for actors that are not made by one's own producer, together with d, the dispatcher
// it needs. A nil d is a dispatcher of its own that counts nothing. Give it before other middleware, to stand around them.
// It costs an allocation a message (the library wraps what passes middleware in an envelope); Guard costs none.
func WithGuard(report Report, d *Dispatcher) actor.PropsOption {
	if d == nil {
		d = NewDispatcher(0, nil)
	}
	return func(props *actor.Props) {
		actor.WithDispatcher(d)(props)
		actor.WithOnInit(func(ctx actor.Context) { ctx.Set(&guardExtension{life{report: report}}) })(props)
		actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
			return (&guardMiddleware{next: next, report: report}).receive
		})(props)
	}
}

type guard struct {
	inner  actor.Actor
	life   life
	steady bool
}

func (g *guard) Receive(ctx actor.Context) {
	message := ctx.Message()
	if g.life.takes(ctx.Self(), message) {
		return
	}
	switch ends := g.life.ends(ctx.ActorSystem(), ctx.Self(), message); {
	case ends && g.steady:
		g.endHere(ctx, message)
		return
	case ends:
		g.endAside(ctx, message)
		return
	}
	normal := false
	defer func() {
		if !normal {
			g.life.raise(ctx.Self(), recover(), message)
		}
	}()
	g.inner.Receive(ctx)
	normal = true
}

// endAside is a message of the actor's end.
func (g *guard) endAside(ctx actor.Context, message any) {
	g.life.contain(ctx.Self(), message, linkFor(ctx, guardActors), func() { g.inner.Receive(ctx) })
}

// endHere is one for a steady actor.
func (g *guard) endHere(ctx actor.Context, message any) {
	normal := false
	defer func() {
		if !normal {
			g.life.tell(ctx.Self(), failed(recover(), message))
		}
	}()
	g.inner.Receive(ctx)
	normal = true
}

type guardedSupervisor struct {
	*guard
	strategy actor.SupervisorStrategy
}

// HandleFailure forwards to the inner actor; its own failure is the supervisor's.
func (g *guardedSupervisor) HandleFailure(system *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, rs *actor.RestartStatistics, reason, message any) {
	var self *actor.PID
	if ctx, ok := supervisor.(actor.Context); ok {
		self = ctx.Self()
	}
	if g.life.ending {
		g.life.contain(self, (*actor.Failure)(nil), nil, func() {
			g.strategy.HandleFailure(system, supervisor, child, rs, reason, message)
		})
		return
	}
	normal := false
	defer func() {
		if !normal {
			g.life.raise(self, recover(), (*actor.Failure)(nil))
		}
	}()
	g.strategy.HandleFailure(system, supervisor, child, rs, reason, message)
	normal = true
}

type guardMiddleware struct {
	next   actor.ReceiverFunc
	report Report
}

func (m *guardMiddleware) receive(ctx actor.ReceiverContext, envelope *actor.MessageEnvelope) {
	extension := extensionOf(ctx, guardID, func() *guardExtension { return &guardExtension{life{report: m.report}} })
	message := envelope.Message
	if extension.life.takes(ctx.Self(), message) {
		return
	}
	if extension.life.ends(ctx.ActorSystem(), ctx.Self(), message) {
		extension.life.contain(ctx.Self(), message, linkFor(ctx, guardOuter), func() { m.next(ctx, envelope) })
		return
	}
	normal := false
	defer func() {
		if !normal {
			extension.life.raise(ctx.Self(), recover(), message)
		}
	}()
	m.next(ctx, envelope)
	normal = true
}

var guardID = ctxext.NextContextExtensionID()

type guardExtension struct{ life life }

func (*guardExtension) ExtensionID() ctxext.ContextExtensionID { return guardID }

// life is what a guard knows of its actor; it is used on the actor's goroutine only.
type life struct {
	report   Report
	ending   bool // Stopping, Stopped or Restarting was seen
	stopping bool
	stopped  bool
	birth    uint64 // of the present incarnation, from births; for Protect
}

// ends notes where in its life the actor is and says whether its end has begun.
func (l *life) ends(system *actor.ActorSystem, self *actor.PID, message any) bool {
	switch message.(type) {
	case *actor.Started:
		l.ending, l.stopping, l.stopped = false, false, false
		l.birth = births.Add(1)
	case *actor.Stopping:
		l.ending, l.stopping = true, true
	case *actor.Stopped:
		l.ending, l.stopped = true, true
	case *actor.Restarting:
		if l.stopped {
			// The actor is out of the registry, its parent and watchers know: only the library's handleRestart is left to be cut short.
			// Our dispatcher takes the mailbox up again; without it the mailbox stands still, which is as well.
			runtime.Goexit()
		}
		if l.stopping {
			// Stop is obeyed in the state "restarting", and comes before any user message.
			if process, ok := system.ProcessRegistry.Get(self); ok {
				process.SendSystemMessage(self, &actor.Stop{})
			}
		}
		l.ending = true
	}
	return l.ending
}

// raise reports what was recovered and panics with it as a *Failure. After a runtime.Goexit there is nothing to recover: the panic is
// recovered by the mailbox, which escalates it, and then the goroutine goes on exiting.
func (l *life) raise(self *actor.PID, recovered, message any) {
	f := failed(recovered, message)
	l.tell(self, f)
	panic(f)
}

// contain runs body on a goroutine of its own and waits for it; a failure is reported and goes no further. It does not return if the actor
// was abandoned by its supervisor meanwhile: see link.
func (l *life) contain(self *actor.PID, message any, to *link, body func()) {
	if to != nil {
		to.back()
	}
	done := make(chan struct{})
	go (&guardedEnd{life: l, self: self, message: message, body: body, done: done, link: to}).run()
	<-done
	if to != nil && !to.leave() {
		runtime.Goexit()
	}
}

type guardedEnd struct {
	life    *life
	self    *actor.PID
	message any
	body    func()
	done    chan struct{}
	link    *link // nil: nobody else wants to know
}

func (e *guardedEnd) run() {
	defer close(e.done)
	normal := false
	defer func() {
		if !normal {
			f := failed(recover(), e.message)
			e.life.tell(e.self, f)
			if e.link != nil && e.link.stopping {
				e.link.fail(f)
			}
		}
	}()
	e.body()
	normal = true
}

func (l *life) tell(self *actor.PID, f *Failure) {
	if l.report == nil {
		return
	}
	defer func() { _ = recover() }()
	l.report(self, f)
}

// failed makes a Failure of what a deferred function recovered, nil meaning runtime.Goexit.
func failed(recovered, message any) *Failure {
	if f, ok := recovered.(*Failure); ok && f != nil {
		return f
	}
	if recovered == nil {
		f := NewFailure(ErrGoexit, message)
		f.Goexit = true
		return f
	}
	return NewFailure(recovered, message)
}
