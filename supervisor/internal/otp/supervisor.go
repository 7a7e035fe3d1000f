package otp

import "slices"

// supervisor is the state of one supervisor process.
type supervisor struct {
	m        *Model
	process  *process
	spec     *Spec
	children []*record // in start order
	budget   budget
	inbox    []message
}

// record is what a supervisor keeps of a child: OTP's #child{}. A child that is neither running nor restarting keeps its specification.
type record struct {
	spec       Child
	process    *process // nil: not running, as far as the supervisor has heard
	pid        *process // who it was last: what simple_one_for_one, whose children have no names, knows it by
	restarting bool     // a start has failed, and another try is in the mailbox
}

type messageKind int

const (
	childExit messageKind = iota // a child ended by itself
	tryAgain                     // to itself: a restart failed
	called
	stopped // by the root's parent
)

type message struct {
	kind    messageKind
	process *process // childExit: who; called: who had the name at the time of the call
	reason  string
	record  *record // tryAgain
	action  *Action // called
	reply   *Event
}

func newSupervisor(m *Model, p *process) *supervisor {
	spec := p.spec.Supervisor
	s := &supervisor{m: m, process: p, spec: spec, budget: budget{intensity: spec.Intensity, period: spec.Period}}
	if spec.Strategy != SimpleOneForOne {
		for _, c := range spec.Children {
			s.children = append(s.children, &record{spec: c})
		}
	}
	return s
}

func (s *supervisor) handle(msg message) {
	switch msg.kind {
	case childExit:
		s.onChildExit(msg.process, msg.reason)
	case tryAgain:
		s.onTryAgain(msg.record)
	case called:
		msg.reply.Reason = s.answer(msg.action, msg.process)
	case stopped:
		s.m.stop(s.process)
	}
}

// startAll starts the children from the given place on, in order, and returns the first that fails, or nil. What comes after that one is
// left alone.
func (s *supervisor) startAll(from int) (failed *record) {
	for _, r := range s.children[from:] {
		if !s.start(r) {
			return r
		}
	}
	return nil
}

func (s *supervisor) start(r *record) bool {
	p := &process{spec: r.spec, parent: s}
	r.process, r.restarting = nil, false
	if !s.m.start(p) {
		return false
	}
	r.process, r.pid = p, p
	return true
}

// stopAll stops the children from the given place on, last first, and takes out the temporary ones, whose specifications end with them.
func (s *supervisor) stopAll(from int) {
	for _, r := range slices.Backward(s.children[from:]) {
		s.stop(r)
	}
	rest := slices.DeleteFunc(slices.Clone(s.children[from:]), func(r *record) bool { return r.spec.restart() == Temporary })
	s.children = append(s.children[:from:from], rest...)
}

// stop stops a child, if it runs. The exit of one that had ended by itself, if it is still in the mailbox, will find nobody.
func (s *supervisor) stop(r *record) {
	p := r.process
	r.process, r.restarting = nil, false
	if p != nil && p.alive {
		s.m.stop(p)
	}
}

// terminate stops all children: the end of a supervisor, whatever the reason.
func (s *supervisor) terminate() {
	if s.spec.Strategy == SimpleOneForOne {
		s.terminateAtOnce()
	} else {
		s.stopAll(0)
	}
	s.m.forget(s)
}

// terminateAtOnce is how simple_one_for_one does it: all are told first, and then waited for, so that those who hang take the time of one.
func (s *supervisor) terminateAtOnce() {
	began, ended := s.m.now, s.m.now
	for _, r := range s.children {
		s.m.now = began
		s.stop(r)
		ended = max(ended, s.m.now)
	}
	s.children, s.m.now = nil, ended
}

// drop is what becomes of a child that has ended and is not to be restarted: a temporary one is forgotten, any other keeps its
// specification, so that restart_child can start it again. simple_one_for_one forgets each.
func (s *supervisor) drop(r *record) {
	r.process, r.restarting = nil, false
	if r.spec.restart() == Temporary || s.spec.Strategy == SimpleOneForOne {
		s.remove(r)
	}
}

func (s *supervisor) remove(r *record) {
	s.children = slices.DeleteFunc(s.children, func(o *record) bool { return o == r })
}

func (s *supervisor) find(name string) *record {
	for _, r := range s.children {
		if r.spec.Name == name {
			return r
		}
	}
	return nil
}
