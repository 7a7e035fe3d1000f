package supervisor

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Upward is what a strategy does with a failure that it cannot settle itself. It runs on the parent's goroutine. The child is suspended, and
// its messages wait: something has to become of it (stop it, at least).
type Upward func(system *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, f *Failure)

// Strategy is an actor.SupervisorStrategy for one parent, one-for-one unless Group says otherwise. It has state: do not share one between parents, and not between actors
// made of the same Props.
//
// Give it to its parent with WithStrategy; or, with actor.WithSupervisor or as the parent's own SupervisorStrategy, show it every message the
// parent receives (Observe). The fields must not change once the parent runs; the functions are called on the parent's goroutine.
//
// The zero value allows no restart: its budget is none, so a failure that would restart the child escalates (see OnSpent).
type Strategy struct {
	// Decide says what is done with a child that failed. nil, and a decision of 0: DirectiveFor(Classify(f)).
	Decide func(child *actor.PID, f *Failure) Directive

	// Group says who is restarted with a child that is: OneForOne (as Dynamic), OneForAll or RestForOne. They are restarted where they are, with PID and
	// mailbox, each told in the order of starting, and none waits for another; a Spec does that, and stops them in reverse first. One restart of a
	// group spends the budget once. The order is known exactly with WithStrategy. PerChild has no use with a group.
	Group Grouping

	// Budget bounds the restarts (Restart and RestartLater): there is one for the parent, and when it is spent OnSpent decides. The zero
	// value allows none.
	Budget Budget
	// PerChild gives each child a Budget of its own: a child that has spent it is stopped, and nothing escalates.
	PerChild bool
	// Exempt names failures that spend no budget. nil: none.
	Exempt func(child *actor.PID, f *Failure) bool

	// Backoff is the delay of RestartLater, for each child its own.
	Backoff Backoff

	// OnSpent is where upward leads from a spent budget. nil: stop the child and escalate the failure to the parent's parent; at the
	// root, which has none, stop the child and send the root a PoisonPill, so that it drains (the library would restart the root); in a
	// guardian, which can do neither, stop the child.
	OnSpent Upward
	// OnEscalate is where upward leads from Escalate. nil: the same as OnSpent's.
	OnEscalate Upward

	Events *Hub             // nil: none
	Now    func() time.Time // nil: time.Now
	Rand   func() float64   // for Backoff; nil: rand.Float64

	mu       sync.Mutex // a guardian's strategy runs on its children's goroutines; never held while a function of the user runs
	ending   bool       // the parent is stopping or restarting, and so are its children
	meter    *Meter
	children map[string]*childState // those that failed and may live, by id
	sweepAt  int                    // how many of them call for a look at who has died
	order    map[string]int         // of the children's starts, by id; only kept for a Group
	started  int
}

// childState is what a strategy knows of a child that has failed. It belongs to one process: a successor of the same name starts anew.
type childState struct {
	pid         *actor.PID
	process     actor.Process
	incarnation int
	meter       *Meter // PerChild only
	backoff     *BackoffState
	pending     *restartDue // nil unless a delayed restart is waited for
}

// WithStrategy makes s the strategy of the actor and shows it what the actor receives.
func WithStrategy(s *Strategy) actor.PropsOption {
	return func(props *actor.Props) {
		actor.WithSupervisor(s)(props)
		actor.WithSpawnMiddleware(s.spawning)(props)
		actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
			return func(ctx actor.ReceiverContext, envelope *actor.MessageEnvelope) {
				s.Observe(ctx.ActorSystem(), envelope.Message)
				next(ctx, envelope)
			}
		})(props)
	}
}

// Observe learns from a message that the parent receives: which child has terminated, and whether the parent begins or ends. It is called on
// the parent's goroutine with every message, or at least with the library's own.
func (s *Strategy) Observe(system *actor.ActorSystem, message any) {
	switch m := message.(type) {
	case *actor.Started:
		s.reset(false)
	case *actor.Stopping, *actor.Restarting:
		s.reset(true)
	case *actor.Terminated:
		s.mu.Lock()
		defer s.mu.Unlock()
		// A Terminated that comes late must not take a successor's state away.
		if c := s.children[m.Who.GetId()]; c != nil && (c.pid == m.Who || !c.alive(system)) {
			s.drop(c)
		}
		if _, alive := system.ProcessRegistry.Get(m.Who); !alive {
			delete(s.order, m.Who.GetId())
		}
	}
}

// Forget drops what is known of a child, and cancels its delayed restart. Observe does it for every child that terminates.
func (s *Strategy) Forget(child *actor.PID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.children[child.GetId()]; c != nil {
		s.drop(c)
	}
}

// Known is how many children the strategy keeps state of: at most those that have failed and live, and as many dead ones.
func (s *Strategy) Known() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.children)
}

// HandleFailure implements actor.SupervisorStrategy.
func (s *Strategy) HandleFailure(system *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, message any) {
	settled := false
	defer func() {
		if !settled {
			s.unsettled(supervisor, child, recover())
		}
	}()
	if due, ok := reason.(*restartDue); ok {
		s.restartNow(system, supervisor, child, due)
		settled = true
		return
	}
	f := failureOf(reason, message)
	d := s.decide(child, f)
	v := &verdict{strategy: s, system: system, supervisor: supervisor, child: child, failure: f, message: message, directive: d, now: s.now()}
	known, ending := s.enter(v)
	v.publish(Event{Kind: Failed})
	switch {
	case !known:
		// It has died since it failed. Nothing may be sent: a Restart could find it half gone and resurrect it.
	case ending:
		// The library has told it to stop, and a Restart would undo that.
		v.stop()
	case d == Resume:
		supervisor.ResumeChildren(child)
		v.publish(Event{Kind: Resumed})
	case d == Restart, d == RestartLater:
		v.restart(d == RestartLater)
	case d == Stop:
		v.stop()
	default:
		v.upward(s.OnEscalate)
	}
	settled = true
}

func (s *Strategy) decide(child *actor.PID, f *Failure) Directive {
	var d Directive
	if s.Decide != nil {
		d = s.Decide(child, f)
	}
	if d == 0 {
		d = DirectiveFor(Classify(f))
	}
	return d
}

// enter finds or makes the state of the child that failed; a new failure replaces what was decided of the last.
func (s *Strategy) enter(v *verdict) (known, ending bool) {
	process, ok := v.system.ProcessRegistry.Get(v.child)
	if !ok {
		return false, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.children[v.child.Id]
	if c != nil && c.process != process {
		s.drop(c)
		c = nil
	}
	if c == nil {
		c = s.add(v.system, &childState{pid: v.child, process: process, meter: NewMeter(s.Budget), backoff: NewBackoffState(s.Backoff)})
	}
	c.cancel()
	v.state, v.incarnation = c, c.incarnation
	return true, s.ending
}

// add puts a child's state into the map. When the map has doubled since the last look, it first drops children that have died: a parent
// that never tells us who terminated costs a constant factor, not a leak.
func (s *Strategy) add(system *actor.ActorSystem, c *childState) *childState {
	if len(s.children) >= max(s.sweepAt, 16) {
		for _, other := range s.children {
			if !other.alive(system) {
				s.drop(other)
			}
		}
		s.sweepAt = 2 * len(s.children)
	}
	if s.children == nil {
		s.children = make(map[string]*childState)
	}
	s.children[c.pid.Id] = c
	return c
}

func (s *Strategy) drop(c *childState) {
	c.cancel()
	delete(s.children, c.pid.Id)
}

// reset forgets every child and what was spent: the parent's next incarnation begins anew, as an OTP supervisor that is restarted does.
func (s *Strategy) reset(ending bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.children {
		c.cancel()
	}
	s.children, s.sweepAt, s.meter, s.ending = nil, 0, nil, ending
}

// spend takes one restart off the budget, unless it is exempt.
func (s *Strategy) spend(c *childState, exempt bool, now time.Time) (left int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.meter == nil {
		s.meter = NewMeter(s.Budget)
	}
	meter := s.meter
	if s.PerChild {
		meter = c.meter
	}
	if exempt {
		return meter.Left(now), true
	}
	return meter.Spend(now)
}

func (s *Strategy) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Strategy) rand() float64 {
	if s.Rand != nil {
		return s.Rand()
	}
	return rand.Float64()
}

func (c *childState) alive(system *actor.ActorSystem) bool {
	process, ok := system.ProcessRegistry.Get(c.pid)
	return ok && process == c.process
}

func (c *childState) cancel() {
	if c.pending != nil {
		c.pending.timer.Stop()
		c.pending = nil
	}
}
