package otp

import "slices"

// restart spends one restart and carries out the strategy (supervisor(3), "Supervision Principles"; OTP Design Principles, "Supervisor
// Behaviour", "Restart Strategy"). If the budget is spent the supervisor ends instead, with shutdown, once it has stopped its children.
func (s *supervisor) restart(r *record) {
	if !s.budget.spend(s.m.now) {
		s.drop(r)
		s.exit()
		return
	}
	if failed := s.restartBy(r); failed != nil {
		failed.restarting = true
		s.inbox = append(s.inbox, message{kind: tryAgain, record: failed})
	}
}

// restartBy restarts whom the strategy says and returns who failed, or nil. Each of one_for_all and rest_for_one first stops those that
// run, last first, and then starts all of them in order, also those that had ended or been terminated before.
func (s *supervisor) restartBy(r *record) (failed *record) {
	from := 0
	switch s.spec.Strategy {
	case OneForOne, SimpleOneForOne:
		if !s.start(r) {
			return r
		}
		return nil
	case RestForOne:
		from = slices.Index(s.children, r)
	}
	r.process, r.restarting = nil, false
	s.stopAll(from)
	return s.startAll(from)
}

// onTryAgain tries once more to restart a child that failed to start, unless something else has been done about it since. The strategy is
// applied to the child that failed, which need not be the one that ended first; and it spends a restart again.
func (s *supervisor) onTryAgain(r *record) {
	if r.restarting && slices.Contains(s.children, r) {
		s.restart(r)
	}
}
