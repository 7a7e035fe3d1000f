package otp

import (
	"slices"
	"time"
)

// Run plays the steps on a tree and returns what can be observed. The spec must be valid.
func Run(spec *Spec, steps []Step) Trace {
	m := New(spec)
	trace := make(Trace, 0, len(steps))
	for _, s := range steps {
		trace = append(trace, m.Do(s))
	}
	return trace
}

// Model is a tree of supervisors that is played step by step. It has no goroutines, and is not safe for concurrent use.
type Model struct {
	spec    *Spec
	now     time.Duration       // since the beginning
	live    map[string]*process // who runs, by name
	last    map[string]*process // who ran last, by name
	failing map[string]*failing
	all     []*supervisor // that run, parents before children
	events  []Event
	replies []*Event // in the order of the calls; noproc until answered
}

// process is one incarnation of a child, or of the root.
type process struct {
	spec   Child
	parent *supervisor // nil: the root
	self   *supervisor // nil: a worker
	alive  bool
}

type failing struct {
	times int
	with  *Action
}

// New makes a tree that is not started yet. The spec must be valid.
func New(spec *Spec) *Model {
	return &Model{spec: spec, live: map[string]*process{}, last: map[string]*process{}, failing: map[string]*failing{}}
}

// Running says whether the named worker or supervisor runs.
func (m *Model) Running(name string) bool { return m.live[name] != nil }

// Do plays one step until nothing moves any more, and returns what can be observed of it.
func (m *Model) Do(s Step) []Event {
	m.events, m.replies = []Event{}, nil
	for i := range s {
		m.act(&s[i])
	}
	for m.turn() {
	}
	for _, r := range m.replies {
		m.emit(r.Kind, r.Name, r.Reason)
	}
	m.Sort(m.events)
	return m.events
}

func (m *Model) act(a *Action) {
	switch a.Op {
	case Start:
		m.start(&process{spec: Child{Name: Root, Supervisor: m.spec}})
	case Stop:
		if root := m.live[Root]; root != nil {
			root.self.inbox = append(root.self.inbox, message{kind: stopped})
		}
	case Exit:
		if p := m.live[a.Name]; p != nil {
			m.exit(p, a.Reason)
		}
	case Fail:
		m.failing[a.Name] = &failing{times: a.Times, with: a.With}
	case Wait:
		m.now += a.Wait
	default:
		m.call(a)
	}
}

// turn lets one supervisor handle one message. Outer supervisors go first: what they do to an inner one reaches it before what it sent to
// itself (see failing.with).
func (m *Model) turn() bool {
	for _, s := range m.all {
		if len(s.inbox) > 0 {
			msg := s.inbox[0]
			s.inbox = s.inbox[1:]
			s.handle(msg)
			return true
		}
	}
	return false
}

func (m *Model) emit(k Kind, name, reason string) {
	m.events = append(m.events, Event{k, name, reason})
}

// start runs a process's init. A supervisor starts its children in it, and if one of them fails stops those before it and fails itself.
func (m *Model) start(p *process) bool {
	if m.fails(p.spec.Name) || p.spec.Supervisor != nil && !m.startSupervisor(p) {
		m.emit(Failed, p.spec.Name, "")
		return false
	}
	p.alive = true
	m.live[p.spec.Name] = p
	m.last[p.spec.Name] = p
	m.emit(Started, p.spec.Name, "")
	return true
}

func (m *Model) startSupervisor(p *process) bool {
	p.self = newSupervisor(m, p)
	m.all = append(m.all, p.self)
	if failed := p.self.startAll(0); failed == nil {
		return true
	}
	p.self.terminate()
	return false
}

func (m *Model) fails(name string) bool {
	f := m.failing[name]
	if f == nil || f.times == 0 {
		return false
	}
	f.times--
	if f.times == 0 && f.with != nil {
		m.act(f.with)
	}
	return true
}

// exit ends a process by itself. Its supervisor finds that in its mailbox.
func (m *Model) exit(p *process, reason string) {
	m.end(p)
	m.emit(Exited, p.spec.Name, reason)
	if p.parent != nil {
		p.parent.inbox = append(p.parent.inbox, message{kind: childExit, process: p, reason: reason})
	}
}

// stop ends a process as its supervisor says.
func (m *Model) stop(p *process) {
	m.end(p)
	reason := ShutdownStop
	switch {
	case p.spec.shutdown() == BrutalKill:
		reason = Killed
	case p.spec.OnStop == Hang:
		reason = Killed
		m.now += time.Duration(p.spec.shutdown())
	case p.spec.OnStop != "":
		reason = p.spec.OnStop
	}
	m.emit(Stopped, p.spec.Name, reason)
}

func (m *Model) end(p *process) {
	if p.self != nil {
		p.self.terminate()
	}
	p.alive = false
	delete(m.live, p.spec.Name)
}

// forget takes a supervisor that has ended out of the schedule. What is left in its mailbox is lost.
func (m *Model) forget(s *supervisor) {
	m.all = slices.DeleteFunc(m.all, func(o *supervisor) bool { return o == s })
	s.inbox = nil
}
