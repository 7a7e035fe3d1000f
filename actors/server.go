package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
)

// server is the root of the tree: the pool first, then an acceptor for each listener. It stops them in the reverse order,
// which loses nothing. It speaks a protocol to other actors: a PoisonPill drains it, and what it is asked is for answer to know.
type server struct {
	stage     *Stage
	listeners []*transport.Listener
	lifecycle *Lifecycle
	answer    func(question any) any
	pool      *actor.PID
	acceptors []*actor.PID
	expire    *time.Timer
	force     *time.Timer
	looks     int // at who still serves, in a forced end
}

// Receive implements actor.Actor.
func (s *server) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		s.onStarted(ctx)
	case messages.Expire:
		s.onExpire(ctx)
	case messages.Force:
		s.onForce(ctx)
	case *actor.Stopping:
		s.onStopping(ctx)
	case *actor.Stopped:
		s.onStopped()
	default:
		s.onAsked(ctx)
	}
}

func (s *server) onStarted(ctx actor.Context) {
	self, system := ctx.Self(), ctx.ActorSystem()
	s.stage.root, s.stage.system = self.Id, system
	s.stage.critical = func(who string, f *supervisor.Failure) {
		if s.lifecycle.failed(fmt.Errorf("%s failed: %w", who, f)) {
			system.Root.Poison(self)
		}
	}
	s.stage.router.asks.start(system, self.Id)
	pool, err := ctx.SpawnNamed(newPoolProps(s.stage), "pool")
	if err != nil {
		panic(supervisor.Critical(err))
	}
	s.pool = pool
	for i, l := range s.listeners {
		pid, err := ctx.SpawnNamed(newAcceptorProps(s.stage, l, i+1), fmt.Sprintf("acceptor-%d", i+1))
		if err != nil {
			panic(supervisor.Critical(err))
		}
		s.acceptors = append(s.acceptors, pid)
	}
	s.lifecycle.started()
}

func (s *server) onAsked(ctx actor.Context) {
	if ctx.Sender() == nil {
		return
	}
	if answer := s.answer(ctx.Message()); answer != nil {
		ctx.Respond(answer)
	}
}

// onDrain runs when the pill has come, before the acceptors get theirs.
func (s *server) onDrain(ctx actor.Context) {
	s.lifecycle.draining(s.stage.Counts().Answered)
	self, root := ctx.Self(), ctx.ActorSystem().Root
	s.expire = time.AfterFunc(s.stage.Drain-s.stage.Expire, func() { root.Send(self, messages.Expire{}) })
	s.force = time.AfterFunc(s.stage.Drain, func() { root.Send(self, messages.Force{}) })
}

// onExpire is half a second before the end of the drain: what is unanswered gets UNAVAILABLE.
func (s *server) onExpire(ctx actor.Context) {
	s.stage.expired.Store(true)
	for _, a := range s.acceptors {
		ctx.Send(a, messages.Expire{})
	}
}

// onForce ends the drain: handlers' contexts are cancelled, and everything is stopped. Workers whose handlers still do
// not return are given up: their goroutines are reported, and the tree ends without them.
//
// It looks again and again until the tree has ended: at first for the handlers that obey their contexts, later for those
// that began between one look and the next.
func (s *server) onForce(ctx actor.Context) {
	s.lifecycle.forced()
	s.stage.expired.Store(true)
	s.stage.force()
	for _, a := range s.acceptors {
		ctx.Stop(a)
	}
	if s.looks++; s.looks > looksBeforeGivingUp || !s.stage.router.serving() {
		s.stage.giveUp()
		ctx.Stop(ctx.Self())
	}
	if s.force != nil {
		s.force.Stop()
	}
	self, root := ctx.Self(), ctx.ActorSystem().Root
	s.force = time.AfterFunc(lookAgain, func() { root.Send(self, messages.Force{}) })
}

// How a forced end looks for handlers that do not return.
const (
	lookAgain           = 10 * time.Millisecond
	looksBeforeGivingUp = 3
)

// onStopping is the end, after a drain or without one. In the latter case the children are being stopped as they are, and
// handlers have to be cancelled and, at last, given up, or the pool would wait for them.
func (s *server) onStopping(ctx actor.Context) {
	for _, l := range s.listeners {
		l.Close()
	}
	if len(ctx.Children()) > 0 {
		self, root := ctx.Self(), ctx.ActorSystem().Root
		s.force = time.AfterFunc(lookAgain, func() { root.Send(self, messages.Force{}) })
	}
	if s.expire != nil {
		s.expire.Stop()
	}
}

func (s *server) onStopped() {
	if s.force != nil {
		s.force.Stop()
	}
	s.stage.force()
	s.stage.router.asks.stop()
	s.lifecycle.stopped()
}

// fail is where failures end that nobody below could settle: the server drains, and says why.
func (s *server) fail(sup actor.Supervisor, child *actor.PID, f *supervisor.Failure) {
	// Suspended, it would not hear of the drain. What it keeps is in order: its own messages are only about its children.
	sup.ResumeChildren(child)
	s.stage.critical(child.Id, f)
}
