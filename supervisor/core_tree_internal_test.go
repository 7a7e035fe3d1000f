package supervisor

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// coreTree plays a case of the OTP model on cores: each supervisor of the tree is one, and what they want done is done at once, in
// the order in which it was wanted.
type coreTree struct {
	spec    *otp.Spec
	now     time.Time
	root    *coreSuper
	supers  map[string]*coreSuper // those that run or start, by name
	fails   map[string]int        // starts that are to fail, by child
	seen    map[string]bool       // dynamic children that were started
	todo    []func()
	events  []otp.Event
	replies []otp.Event // in the order of the calls
}

// coreSuper is one incarnation of a supervisor.
type coreSuper struct {
	tree   *coreTree
	name   string
	spec   *otp.Spec
	above  *coreSuper // nil for the root
	key    int        // under it
	core   *core
	text   map[int]string // why each child has ended, in the model's words
	timers map[int]coreTimer
	calls  map[int]int // by request: the number of its reply
	exit   string      // the reason that it was made to end with
	told   bool        // by its parent
	up     bool
}

type coreTimer struct {
	at     time.Time
	number uint64
}

func newCoreTree(spec *otp.Spec) *coreTree {
	return &coreTree{spec: spec, now: time.Unix(1e9, 0), supers: make(map[string]*coreSuper), fails: make(map[string]int), seen: make(map[string]bool)}
}

func (t *coreTree) later(f func()) { t.todo = append(t.todo, f) }

// settle goes on until nothing moves any more. The only timers are those of children that were told to stop: nobody waits for a
// restart.
func (t *coreTree) settle() {
	for {
		for len(t.todo) > 0 {
			next := t.todo[0]
			t.todo = t.todo[1:]
			next()
		}
		s, key := t.nextTimer()
		if s == nil {
			return
		}
		timer := s.timers[key]
		delete(s.timers, key)
		t.now = timer.at
		s.carry(s.core.fired(key, timer.number, t.now))
	}
}

func (t *coreTree) nextTimer() (first *coreSuper, key int) {
	for _, s := range t.supers {
		for k, timer := range s.timers {
			if first == nil || timer.at.Before(first.timers[key].at) {
				first, key = s, k
			}
		}
	}
	return first, key
}

func (t *coreTree) tell(kind otp.Kind, name, reason string) {
	t.events = append(t.events, otp.Event{Kind: kind, Name: name, Reason: reason})
}

func (t *coreTree) newSuper(name string, spec *otp.Spec, above *coreSuper, key int) *coreSuper {
	s := &coreSuper{
		tree: t, name: name, spec: spec, above: above, key: key, text: make(map[int]string), timers: make(map[int]coreTimer), calls: make(map[int]int),
	}
	var rules []childRule
	if spec.Strategy != otp.SimpleOneForOne {
		for i := range spec.Children {
			rules = append(rules, coreRule(&spec.Children[i]))
		}
	}
	strategies := map[otp.Strategy]Grouping{otp.OneForOne: OneForOne, otp.OneForAll: OneForAll, otp.RestForOne: RestForOne, otp.SimpleOneForOne: Dynamic}
	autos := map[otp.AutoShutdown]AutoShutdown{"": Never, otp.Never: Never, otp.AnySignificant: AnySignificant, otp.AllSignificant: AllSignificant}
	s.core = newCore(strategies[spec.Strategy], autos[spec.AutoShutdown], Budget{Intensity: spec.Intensity, Period: spec.Period}, nil, rules...)
	t.supers[name] = s
	t.later(func() { s.carry(s.core.begin(t.now)) })
	return s
}

func coreRule(c *otp.Child) childRule {
	types := map[otp.Restart]RestartType{"": RestartPermanent, otp.Permanent: RestartPermanent, otp.Transient: RestartTransient, otp.Temporary: RestartTemporary}
	shutdown := time.Duration(c.Shutdown)
	switch {
	case c.Shutdown == otp.BrutalKill:
		shutdown = Brutal
	case c.Shutdown == 0 && c.Supervisor == nil:
		shutdown = DefaultShutdown
	case c.Shutdown == 0:
		shutdown = Infinite
	}
	return childRule{name: c.Name, restart: types[c.Restart], shutdown: shutdown, significant: c.Significant, ref: c}
}

// reasonClass is what a reason of the model is for the core.
func reasonClass(text string) (Reason, *Failure) {
	switch {
	case text == otp.Normal:
		return ReasonNormal, nil
	case text == otp.ShutdownStop || strings.HasPrefix(text, "{shutdown"):
		return ReasonShutdown, nil
	case text == otp.Killed:
		return ReasonKilled, nil
	}
	return ReasonFailed, &Failure{Value: text}
}

// carry does what a core wants.
func (s *coreSuper) carry(acts []act) {
	for _, a := range acts {
		switch a.do {
		case doStart:
			s.start(a.child)
		case doStop, doKill:
			s.stop(a)
		case doArm:
			key := 0
			if a.child != nil {
				key = a.child.key
			}
			s.timers[key] = coreTimer{s.tree.now.Add(a.delay), a.timer}
		case doDisarm:
			key := 0
			if a.child != nil {
				key = a.child.key
			}
			delete(s.timers, key)
		case doPublish:
			s.publish(a)
		case doReply:
			s.reply(a)
		case doReady:
			s.ready()
		case doFinish:
			s.finish(a)
		}
	}
}

func (s *coreSuper) start(ch *child) {
	spec, key, t := ch.rule.ref.(*otp.Child), ch.key, s.tree
	switch {
	case t.fails[ch.rule.name] > 0:
		t.fails[ch.rule.name]--
		t.later(func() { s.carry(s.core.failed(key, &Failure{Value: "start"}, 0, t.now)) })
	case spec.Supervisor != nil:
		t.newSuper(ch.rule.name, spec.Supervisor, s, key)
	default:
		t.later(func() { s.carry(s.core.started(key, t.now)) })
	}
}

func (s *coreSuper) stop(a act) {
	spec, key, t := a.child.rule.ref.(*otp.Child), a.child.key, s.tree
	if below := t.supers[a.child.rule.name]; spec.Supervisor != nil && below != nil && below.above == s {
		below.told = true
		t.later(func() { below.carry(below.core.stop(stopHalt, t.now)) })
		return
	}
	text := spec.OnStop
	switch {
	case a.do == doKill || a.mode == stopKill:
		text = otp.Killed
	case text == "":
		text = otp.ShutdownStop
	case text == otp.Hang:
		return
	}
	t.later(func() { s.end(key, text) })
}

// end tells the core that a child's actor is gone.
func (s *coreSuper) end(key int, text string) {
	reason, f := reasonClass(text)
	s.text[key] = text
	s.carry(s.core.ended(key, reason, f, s.tree.now))
}

func (s *coreSuper) publish(a act) {
	name, text := a.child.rule.name, s.text[a.child.key]
	switch a.event.Kind {
	case Started, Restarted:
		s.tree.tell(otp.Started, name, "")
	case StartFailed:
		s.tree.tell(otp.Failed, name, "")
	case Exited:
		s.tree.tell(otp.Exited, name, text)
	case Stopped, Killed:
		s.tree.tell(otp.Stopped, name, text)
	}
}

func (s *coreSuper) ready() {
	s.up = true
	t := s.tree
	if s.above == nil {
		t.tell(otp.Started, s.name, "")
		return
	}
	t.later(func() { s.above.carry(s.above.core.started(s.key, t.now)) })
}

func (s *coreSuper) finish(a act) {
	t, text := s.tree, otp.ShutdownStop
	delete(t.supers, s.name)
	if s.exit != "" {
		text = s.exit
	}
	if a.reason == ReasonFailed {
		text = "start"
	}
	switch {
	case s.above != nil:
		t.later(func() { s.above.end(s.key, text) })
	case !s.up:
		t.tell(otp.Failed, s.name, "")
	case s.told:
		t.tell(otp.Stopped, s.name, text)
	default:
		t.tell(otp.Exited, s.name, text)
	}
}

func (s *coreSuper) reply(a act) {
	answers := map[error]string{
		nil: otp.OK, ErrNotFound: otp.NotFound, ErrRunning: otp.Running, ErrRestarting: otp.Restarting, ErrAlreadyStarted: otp.AlreadyStarted,
		ErrAlreadyPresent: otp.AlreadyPresent, ErrDynamic: otp.Simple,
	}
	answer, known := answers[a.err]
	if a.err == ErrNotFound && s.core.strategy == Dynamic && s.tree.seen[s.tree.replies[s.calls[a.request]].Name] {
		// OTP is asked by pid, and says of one that has ended that it is terminated. Here it is asked by name, and knows no more.
		answer = otp.OK
	}
	var f *Failure
	if !known && (errors.As(a.err, &f) || errors.Is(a.err, ErrExited)) {
		answer = otp.StartFailed
	} else if !known {
		answer = a.err.Error()
	}
	s.tree.replies[s.calls[a.request]].Reason = answer
}

// do plays one step, and returns what was observed.
func (t *coreTree) do(step otp.Step) []otp.Event {
	t.events, t.replies = nil, nil
	for i := range step {
		t.act(&step[i])
		t.settle()
	}
	return append(t.events, t.replies...)
}

func (t *coreTree) act(a *otp.Action) {
	switch a.Op {
	case otp.Start:
		t.root = t.newSuper(otp.Root, t.spec, nil, 0)
	case otp.Stop:
		if s := t.supers[otp.Root]; s != nil {
			s.told = true
			s.carry(s.core.stop(stopHalt, t.now))
		}
	case otp.Exit:
		t.exit(a.Name, a.Reason)
	case otp.Fail:
		t.fails[a.Name] = a.Times
	case otp.Wait:
		t.now = t.now.Add(a.Wait)
	default:
		t.call(a)
	}
}

// exit ends a process by itself: a supervisor stops its children first; a worker that fails does so as an actor that panics, which is
// suspended, or as one that is gone, in turn.
func (t *coreTree) exit(name, reason string) {
	if s := t.supers[name]; s != nil {
		s.exit = reason
		s.carry(s.core.stop(stopHalt, t.now))
		return
	}
	for _, s := range t.supers {
		ch := s.core.names[name]
		if ch == nil || ch.state != ChildRunning {
			continue
		}
		if _, f := reasonClass(reason); f != nil && len(t.events)%2 == 0 && ch.key%2 == 0 {
			s.text[ch.key] = reason
			s.carry(s.core.failed(ch.key, f, 0, t.now))
		} else {
			s.end(ch.key, reason)
		}
		return
	}
}

func (t *coreTree) call(a *otp.Action) {
	name := a.Name
	if a.Op == otp.WhichChildren {
		name = a.Supervisor
	}
	t.replies = append(t.replies, otp.Event{Kind: otp.Replied, Name: name, Reason: otp.NoProc})
	n := len(t.replies) - 1
	s := t.supers[a.Supervisor]
	if s == nil {
		return
	}
	rule := childRule{name: a.Name}
	switch {
	case a.Op == otp.WhichChildren:
		t.replies[n].Reason = s.children()
		return
	case a.Op == otp.StartChild && s.spec.Strategy == otp.SimpleOneForOne:
		child := s.spec.Children[0]
		child.Name = a.Name
		rule = coreRule(&child)
		t.seen[a.Name] = true
	case a.Op == otp.StartChild:
		rule = coreRule(a.Child)
		if a.Child.Significant && (rule.restart == RestartPermanent || s.core.auto == Never) {
			t.replies[n].Reason = otp.BadSpec // the actor's Validate
			return
		}
	}
	kinds := map[otp.Op]requestKind{otp.StartChild: requestStart, otp.TerminateChild: requestStop, otp.RestartChild: requestRestart, otp.DeleteChild: requestDelete}
	id := n + 1
	s.calls[id] = n
	s.carry(s.core.ask(request{id: id, kind: kinds[a.Op], rule: rule}, t.now))
}

func (s *coreSuper) children() string {
	var all []string
	for _, ch := range s.core.sorted() {
		state := "running"
		switch ch.state {
		case ChildIdle, ChildExited:
			state = "undefined"
		case ChildWaiting:
			state = "restarting"
		}
		all = append(all, ch.rule.name+"="+state)
	}
	if s.core.strategy == Dynamic {
		slices.Sort(all)
	}
	return "[" + strings.Join(all, ",") + "]"
}
