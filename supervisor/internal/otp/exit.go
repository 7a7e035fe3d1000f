package otp

import "strings"

// onChildExit decides by restart type (supervisor(3), type restart()): a permanent child is always restarted, a transient one if it ended
// abnormally, a temporary one never.
func (s *supervisor) onChildExit(p *process, reason string) {
	r := s.running(p)
	switch {
	case r == nil: // stopped or replaced since
	case r.spec.restart() == Permanent, r.spec.restart() == Transient && abnormal(reason):
		s.restart(r)
	default:
		s.drop(r)
		s.autoShutdown(r)
	}
}

func (s *supervisor) running(p *process) *record {
	for _, r := range s.children {
		if r.process == p {
			return r
		}
	}
	return nil
}

// abnormal is the end of a transient child that makes it restart: anything but normal, shutdown and {shutdown,…}.
func abnormal(reason string) bool {
	return reason != Normal && reason != ShutdownStop && !strings.HasPrefix(reason, "{shutdown,")
}

// autoShutdown ends the supervisor with shutdown if the end of r says so ("Supervisor Behaviour", "Automatic Shutdown"). Only a child that ended by
// itself and is not restarted gets here, neither one that the supervisor stopped nor one whose restart the budget refused.
func (s *supervisor) autoShutdown(r *record) {
	if !r.spec.Significant {
		return
	}
	switch s.spec.AutoShutdown {
	case AnySignificant:
		s.exit()
	case AllSignificant:
		if !s.anySignificant() {
			s.exit()
		}
	}
}

// anySignificant says whether a significant child is still there. One that is being restarted is.
func (s *supervisor) anySignificant() bool {
	for _, r := range s.children {
		if r.spec.Significant && (r.process != nil || r.restarting) {
			return true
		}
	}
	return false
}

// exit ends the supervisor by itself, which always is with shutdown: to its own supervisor a normal end, unless it is permanent.
func (s *supervisor) exit() { s.m.exit(s.process, ShutdownStop) }
