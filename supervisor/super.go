package supervisor

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// supervisor is the actor: it carries out what its core decides.
type supervisor struct {
	spec *Spec

	mu   sync.Mutex // core and links are changed on the actor's goroutine, with mu held, so that a snapshot can be taken from any
	core *core
	path string
	pid  *actor.PID

	process  actor.Process      // its own
	own      *link              // nil if its parent is no supervisor of ours
	children map[string]*member // that have an actor, by its id
	planTime *time.Timer
	waiting  map[int]asked // requests that are not answered yet
	asked    int           // so far
	starters []*actor.PID  // who waits for the start; at most maxRequests
	serial   int           // the last name that was made up
	startErr error
	onStart  func(error) // nil, or see propsOf

	told      bool // by somebody to stop
	restart   bool // and to begin again then
	finished  bool // no child is left, and there will be none
	escalated bool // and its parent is asked what to do
}

// asked is who gets the answer to a request.
type asked struct {
	sender *actor.PID
	op     requestKind
	name   string
}

func newSupervisor(spec *Spec) *supervisor {
	s := &supervisor{spec: spec, children: make(map[string]*member), waiting: make(map[int]asked)}
	rules := make([]childRule, 0, len(spec.Children))
	for i := range spec.Children {
		rules = append(rules, newMember(&spec.Children[i]).rule())
	}
	s.core = newCore(spec.Strategy, spec.AutoShutdown, spec.budget(), spec.Rand, rules...)
	return s
}

func (s *supervisor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.onStarted(ctx)
	case *actor.Terminated:
		s.onTerminated(ctx, m.Who)
	case *actor.Stopped:
		s.onStopped()
	case *childStarted:
		s.onChildStarted(ctx, m)
	case *spawnFailed:
		s.onSpawnFailed(ctx, m)
	case *timerFired:
		s.onTimer(ctx, m)
	case *toldToStop:
		s.onTold(ctx, m)
	case *resumed:
		s.onResumed()
	case StartChild:
		s.onStartChild(ctx, m.Child)
	case StopChild:
		s.onAsk(ctx, requestStop, m.Name)
	case RestartChild:
		s.onAsk(ctx, requestRestart, m.Name)
	case DeleteChild:
		s.onAsk(ctx, requestDelete, m.Name)
	case GetChildren:
		ctx.Respond(Children{List: s.snapshot().Children})
	case CountChildren:
		ctx.Respond(s.count())
	case AwaitStart:
		s.onAwaitStart(ctx)
	}
}

// intercept takes what the library would act on at once, children in no order and within no time. There are none if middleware has failed
// at Started, before it came here.
func (s *supervisor) intercept(message any, invoke func(any)) bool {
	if s.process == nil {
		return false
	}
	switch actor.UnwrapEnvelopeMessage(message).(type) {
	case *actor.Stop:
		return !s.finished && tell(invoke, &toldToStop{mode: stopHalt})
	case *actor.PoisonPill:
		return !s.finished && tell(invoke, &toldToStop{mode: stopDrain})
	case *actor.Restart:
		return !s.finished && tell(invoke, &toldToStop{mode: stopHalt, restart: true})
	}
	return false
}

func tell(invoke func(any), message any) bool {
	invoke(message)
	return true
}

// HandleFailure implements actor.SupervisorStrategy. The library calls it on the actor's goroutine.
func (s *supervisor) HandleFailure(_ *actor.ActorSystem, sup actor.Supervisor, who *actor.PID, _ *actor.RestartStatistics, reason, message any) {
	ctx, ok := sup.(actor.Context)
	m := s.children[who.GetId()]
	if !ok || m == nil || m.link.pid != who {
		return // it is gone
	}
	f := failureOf(reason, message)
	var d Directive
	if f.Phase != PhaseStarted {
		d = m.decide(f, ctx.Logger())
	}
	s.feed(ctx, func(now time.Time) []act { return s.core.failed(m.link.key, f, d, now) })
}

func (s *supervisor) onStarted(ctx actor.Context) {
	s.mu.Lock()
	s.path, s.pid = ctx.Self().Id, ctx.Self()
	s.mu.Unlock()
	s.process, _ = ctx.ActorSystem().ProcessRegistry.Get(ctx.Self())
	if s.own = linkOf(ctx); s.own != nil {
		s.own.super.Store(s)
	}
	s.spec.Tree.enter(s)
	s.feed(ctx, s.core.begin)
}

func (s *supervisor) onStopped() { s.spec.Tree.leave(s) }

func (s *supervisor) onTerminated(ctx actor.Context, who *actor.PID) {
	m := s.children[who.Id]
	if m == nil || m.link.pid != who {
		return // not a child, or one that was abandoned long ago
	}
	key := m.link.key
	reason, f := m.link.outcome()
	delete(s.children, who.Id)
	s.setLink(m, nil)
	s.feed(ctx, func(now time.Time) []act { return s.core.ended(key, reason, f, now) })
}

func (s *supervisor) onChildStarted(ctx actor.Context, started *childStarted) {
	m := s.children[started.link.pid.Id]
	if m == nil || m.link != started.link {
		return
	}
	if m.link.misled {
		f := failureOf(errMisled, (*actor.Started)(nil))
		s.feed(ctx, func(now time.Time) []act { return s.core.failed(m.link.key, f, 0, now) })
		return
	}
	s.feed(ctx, func(now time.Time) []act { return s.core.started(m.link.key, now) })
}

func (s *supervisor) onSpawnFailed(ctx actor.Context, m *spawnFailed) {
	s.feed(ctx, func(now time.Time) []act { return s.core.ended(m.key, ReasonFailed, m.failure, now) })
}

func (s *supervisor) onTimer(ctx actor.Context, m *timerFired) {
	s.feed(ctx, func(now time.Time) []act { return s.core.fired(m.key, m.timer, now) })
}

func (s *supervisor) onTold(ctx actor.Context, m *toldToStop) {
	s.restart = m.restart && (!s.told || s.restart)
	s.told = true
	s.feed(ctx, func(now time.Time) []act { return s.core.stop(m.mode, now) })
}

// onResumed: the parent's strategy lets a supervisor go on that has given up. It has no children any more, and would never get any.
func (s *supervisor) onResumed() {
	if s.escalated {
		s.process.SendSystemMessage(nil, &endNow{&actor.Stop{}})
	}
}

func (s *supervisor) onStartChild(ctx actor.Context, spec ChildSpec) {
	if s.spec.Strategy == Dynamic {
		spec = s.fill(spec)
	}
	v := &validator{path: s.spec.Name, child: spec.Name}
	if spec.Name == "" {
		v.wrong("Name", `""`, "a static child needs one")
	}
	if v.whole(s.spec, &spec); len(v.errs) > 0 {
		s.answer(ctx.ActorSystem(), asked{ctx.Sender(), requestStart, spec.Name}, nil, v.errs[0])
		return
	}
	s.ask(ctx, requestStart, newMember(&spec).rule())
}

// fill is a dynamic child's declaration.
func (s *supervisor) fill(spec ChildSpec) ChildSpec {
	full := s.spec.Template
	full.Name = spec.Name
	if spec.Props != nil || spec.Supervisor != nil {
		full.Props, full.Supervisor = spec.Props, spec.Supervisor
	}
	for full.Name == "" || spec.Name == "" && s.core.names[full.Name] != nil {
		s.serial++
		full.Name = strconv.Itoa(s.serial)
	}
	return full
}

func (s *supervisor) onAsk(ctx actor.Context, kind requestKind, name string) {
	s.ask(ctx, kind, childRule{name: name})
}

func (s *supervisor) ask(ctx actor.Context, kind requestKind, rule childRule) {
	s.asked++
	id := s.asked
	s.waiting[id] = asked{sender: ctx.Sender(), op: kind, name: rule.name}
	s.feed(ctx, func(now time.Time) []act { return s.core.ask(request{id: id, kind: kind, rule: rule}, now) })
}

func (s *supervisor) onAwaitStart(ctx actor.Context) {
	switch {
	case s.startErr != nil:
		ctx.Respond(ChildReply{Name: s.spec.Name, PID: ctx.Self(), Err: s.startErr})
	case s.core.phase == phaseUp:
		ctx.Respond(ChildReply{Name: s.spec.Name, PID: ctx.Self()})
	case s.core.phase > phaseUp:
		ctx.Respond(ChildReply{Name: s.spec.Name, PID: ctx.Self(), Err: ErrStopping})
	case ctx.Sender() == nil:
	case len(s.starters) >= maxRequests:
		ctx.Respond(ChildReply{Name: s.spec.Name, Err: ErrBusy})
	default:
		s.starters = append(s.starters, ctx.Sender())
	}
}

func (s *supervisor) answerStarters(ctx actor.Context) {
	for _, sender := range s.starters {
		ctx.Send(sender, ChildReply{Name: s.spec.Name, PID: ctx.Self(), Err: s.startErr})
	}
	s.starters = nil
}

// setLink is the one change outside of the core that a snapshot can see.
func (s *supervisor) setLink(m *member, l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.link = l
}

var errMisled = fmt.Errorf("supervisor: a child that was declared as Guarded is not: its producer must return a Guard")
