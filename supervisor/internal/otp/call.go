package otp

import (
	"slices"
	"strings"
)

// call puts a call into the mailbox of the supervisor that it is for.
func (m *Model) call(a *Action) {
	name := a.Name
	if a.Op == WhichChildren {
		name = a.Supervisor
	}
	reply := &Event{Replied, name, NoProc}
	m.replies = append(m.replies, reply)
	if p := m.live[a.Supervisor]; p != nil {
		p.self.inbox = append(p.self.inbox, message{kind: called, action: a, process: m.last[a.Name], reply: reply})
	}
}

// answer carries out one of supervisor(3)'s functions. None of them spends a restart, and none of them triggers an automatic shutdown.
func (s *supervisor) answer(a *Action, pid *process) string {
	switch a.Op {
	case StartChild:
		return s.startChild(a)
	case TerminateChild:
		if s.spec.Strategy == SimpleOneForOne {
			return s.terminatePID(pid)
		}
		return s.terminateChild(a.Name)
	case RestartChild:
		return s.restartChild(a.Name)
	case DeleteChild:
		return s.deleteChild(a.Name)
	default:
		return s.whichChildren()
	}
}

func (s *supervisor) startChild(a *Action) string {
	r := &record{}
	if s.spec.Strategy == SimpleOneForOne {
		r.spec = s.spec.Children[0]
		r.spec.Name = a.Name
	} else {
		r.spec = *a.Child
		old := s.find(a.Name)
		switch {
		case !s.spec.significant(r.spec):
			return BadSpec
		case old != nil && old.process != nil:
			return AlreadyStarted
		case old != nil:
			return AlreadyPresent
		}
	}
	if !s.start(r) {
		return StartFailed
	}
	s.children = append(s.children, r)
	return OK
}

// terminateChild stops a child for good, or until restart_child or a restart of the group. A restart that is under way is given up.
func (s *supervisor) terminateChild(name string) string {
	r := s.find(name)
	if r == nil {
		return NotFound
	}
	s.stop(r)
	s.drop(r)
	return OK
}

// terminatePID is terminateChild under simple_one_for_one. A child that is being restarted has the pid that it had before; any other
// process that has ended is as good as terminated.
func (s *supervisor) terminatePID(pid *process) string {
	if pid == nil {
		return NotFound
	}
	for _, r := range s.children {
		if r.pid == pid {
			s.stop(r)
			s.drop(r)
			break
		}
	}
	return OK
}

func (s *supervisor) restartChild(name string) string {
	r, refusal := s.idle(name)
	switch {
	case r == nil:
		return refusal
	case !s.start(r):
		return StartFailed
	default:
		return OK
	}
}

func (s *supervisor) deleteChild(name string) string {
	r, refusal := s.idle(name)
	if r == nil {
		return refusal
	}
	s.remove(r)
	return OK
}

// idle finds a child that neither runs nor is being restarted, or says why not.
func (s *supervisor) idle(name string) (r *record, refusal string) {
	r = s.find(name)
	switch {
	case s.spec.Strategy == SimpleOneForOne:
		return nil, Simple
	case r == nil:
		return nil, NotFound
	case r.restarting:
		return nil, Restarting
	case r.process != nil:
		return nil, Running
	default:
		return r, ""
	}
}

// whichChildren lists the children in start order, or of simple_one_for_one by name. There a child that is being restarted has no pid, and
// so no name.
func (s *supervisor) whichChildren() string {
	var list []string
	for _, r := range s.children {
		switch {
		case r.restarting && s.spec.Strategy == SimpleOneForOne:
			list = append(list, "?="+Restarting)
		case r.restarting:
			list = append(list, r.spec.Name+"="+Restarting)
		case r.process != nil:
			list = append(list, r.spec.Name+"="+Running)
		default:
			list = append(list, r.spec.Name+"=undefined")
		}
	}
	if s.spec.Strategy == SimpleOneForOne {
		slices.Sort(list)
	}
	return "[" + strings.Join(list, ",") + "]"
}
