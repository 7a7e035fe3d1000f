package supervisor

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/ctxext"
)

// ErrDraining is what SpawnNamed returns, and Spawn and SpawnPrefix panic with, in an actor that drains.
var ErrDraining = errors.New("supervisor: the actor is draining and takes no new children")

// Cascade hands a PoisonPill down the tree. The library alone stops a poisoned actor's children hard, and what waits in their mailboxes is
// lost. With a Cascade the actor first poisons its children and waits until each has terminated, and stops itself when none is left.
// Grandchildren drain if the children carry a Cascade themselves.
//
// While it drains, the actor goes on receiving messages, Terminated included, and may not spawn children. A further pill changes nothing.
// A child that has failed and waits for a delayed restart is waited for; Stop, which does not drain, works at any time. If the actor is
// restarted while it drains, its new incarnation receives Started, and is then stopped. Guard the children: one whose Stopping or Stopped
// panics unguarded never tells its parent that it ended, and would be waited for in vain.
//
// The zero value drains one child after the other, the last one started first.
type Cascade struct {
	// Phase groups the children: those of the highest phase are poisoned together, the last one started first, then, when they have all
	// terminated, those of the next. It is called once for each child, when the pill arrives. nil: each child is a phase of its own.
	Phase func(child *actor.PID) int
	// OnDrain is called once, when the pill arrives, before the first child is poisoned; it may still spawn some. nil: nothing.
	OnDrain func(ctx actor.Context)
	// Deadline is how long the children may take to drain, from the pill on. What is left then is told to Stop, and a Forced event names it; so
	// does one for each of its own children that has not drained, if it drains them by a Cascade with Events, and so on below.
	// A child that has still not terminated a Grace later hangs, or one below it does: a GivenUp event names it, and the actor ends without it;
	// its name stays taken until it ends after all. 0: they may take as long as they like.
	Deadline time.Duration
	// Grace is how long a child may take to stop after the Deadline. 0: DefaultGrace.
	Grace time.Duration
	// Events gets a Drained when the last child has terminated, and before that a Forced or GivenUp for each that did not drain. nil: none.
	Events *Hub
}

// DefaultGrace is a Cascade's Grace if it has none.
const DefaultGrace = time.Second

// WithCascade makes an actor drain as c says. Props with it may be shared: c is only read.
func WithCascade(c Cascade) actor.PropsOption {
	begin := func() *cascadeState { return &cascadeState{cascade: c, children: make(map[string]*cascadeChild)} }
	return func(props *actor.Props) {
		actor.WithOnInit(func(ctx actor.Context) { ctx.Set(begin()) })(props)
		actor.WithSpawnMiddleware(func(next actor.SpawnFunc) actor.SpawnFunc {
			return func(system *actor.ActorSystem, id string, props *actor.Props, parent actor.SpawnerContext) (*actor.PID, error) {
				ctx, ok := parent.(actor.ExtensionContext)
				if !ok {
					return next(system, id, props, parent)
				}
				state := extensionOf(ctx, cascadeID, begin)
				if state.refusing || state.stopping {
					return nil, ErrDraining
				}
				pid, err := next(system, id, props, parent)
				if err == nil {
					state.onSpawned(pid)
				}
				return pid, err
			}
		})(props)
		actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
			return func(ctx actor.ReceiverContext, envelope *actor.MessageEnvelope) {
				extensionOf(ctx, cascadeID, begin).receive(ctx, envelope, next)
			}
		})(props)
	}
}

// Draining says whether the actor has received its pill; false for one without a Cascade. It is called on the actor's goroutine.
func Draining(ctx actor.ExtensionContext) bool {
	state, ok := getExtension(ctx, cascadeID).(*cascadeState)
	return ok && state.draining
}

var cascadeID = ctxext.NextContextExtensionID()

// cascadeState is one actor's, used on its goroutine only. It lives as long as the actor's context: a restart keeps it.
type cascadeState struct {
	cascade  Cascade
	children map[string]*cascadeChild // by id; the library's own list loses the order
	started  uint64                   // children so far
	draining bool
	refusing bool            // takes no new children: from the end of OnDrain on
	stopping bool            // told to stop, by us or by somebody else
	plan     []*cascadeChild // those to poison, the next one first; nil before the pill
	waiting  int             // poisoned and not terminated
	deadline *time.Timer     // until the deadline, then until the grace is over; nil: none
}

type cascadeChild struct {
	pid      *actor.PID
	number   uint64 // in the order of starting
	phase    int
	poisoned bool
}

func (*cascadeState) ExtensionID() ctxext.ContextExtensionID { return cascadeID }

func (s *cascadeState) receive(ctx actor.ReceiverContext, envelope *actor.MessageEnvelope, next actor.ReceiverFunc) {
	switch message := envelope.Message.(type) {
	case *actor.PoisonPill:
		s.onPill(ctx)
	case *actor.Terminated:
		s.onTerminated(ctx.ActorSystem(), message.Who)
		defer s.advance(ctx) // whatever the actor makes of it
		next(ctx, envelope)
	case *actor.Started:
		defer s.advance(ctx) // a restart has stopped the children
		next(ctx, envelope)
	case *actor.Stopping:
		if s.draining && !s.stopping { // not by us, at the end of the drain: the library stops what is left
			s.tellForced(s.left())
		}
		s.stopping = true
		s.disarm()
		next(ctx, envelope)
	case *cascadeDue:
		s.onDue(ctx, message)
	default:
		next(ctx, envelope)
	}
}

func (s *cascadeState) onSpawned(pid *actor.PID) {
	s.started++
	s.children[pid.Id] = &cascadeChild{pid: pid, number: s.started}
}

func (s *cascadeState) onPill(ctx actor.ReceiverContext) {
	if s.draining || s.stopping {
		return
	}
	s.draining = true
	if s.cascade.Deadline > 0 {
		s.arm(ctx, s.cascade.Deadline, &cascadeDue{})
	}
	defer func() { // even if OnDrain panics
		s.refusing = true
		s.advance(ctx)
	}()
	if c, ok := ctx.(actor.Context); ok && s.cascade.OnDrain != nil {
		s.cascade.OnDrain(c)
	}
}

func (s *cascadeState) onTerminated(system *actor.ActorSystem, who *actor.PID) {
	child := s.children[who.GetId()]
	if child == nil {
		return // not a child, but watched
	}
	if child.pid != who {
		if _, alive := system.ProcessRegistry.Get(child.pid); alive {
			return // a predecessor's, late
		}
	}
	delete(s.children, who.Id)
	if child.poisoned {
		s.waiting--
	}
}

// advance poisons the next phase when the one before has terminated, and stops the actor after the last.
func (s *cascadeState) advance(ctx actor.ReceiverContext) {
	if !s.draining || s.stopping {
		return
	}
	if s.plan == nil {
		s.plan = s.inOrder()
	}
	for s.waiting == 0 && len(s.plan) > 0 {
		phase := s.plan[0].phase
		for len(s.plan) > 0 && s.plan[0].phase == phase {
			child := s.plan[0]
			s.plan = s.plan[1:]
			if s.children[child.pid.Id] != child {
				continue // stopped by itself
			}
			child.poisoned = true
			s.waiting++
			ctx.ActorSystem().Root.Poison(child.pid)
		}
	}
	if len(s.children) > 0 {
		return
	}
	s.stopping = true
	s.cascade.Events.Publish(Event{Kind: Drained, Path: ctx.Self().Id})
	ctx.ActorSystem().Root.Stop(ctx.Self())
}

// inOrder is the children in the order of their poisoning. Without a Phase each has one of its own.
func (s *cascadeState) inOrder() []*cascadeChild {
	plan := make([]*cascadeChild, 0, len(s.children))
	for _, child := range s.children {
		plan = append(plan, child)
	}
	slices.SortFunc(plan, func(a, b *cascadeChild) int { return cmp.Compare(b.number, a.number) })
	for i, child := range plan {
		if s.cascade.Phase != nil {
			child.phase = s.cascade.Phase(child.pid)
		} else {
			child.phase = len(plan) - i
		}
	}
	slices.SortStableFunc(plan, func(a, b *cascadeChild) int { return cmp.Compare(b.phase, a.phase) })
	return plan
}
