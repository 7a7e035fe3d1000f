package supervisor

// The supervisor's messages to itself, and its parent's to it.
type (
	// childStarted: the child has handled Started.
	childStarted struct{ link *link }
	// spawnFailed: it could not even be made.
	spawnFailed struct {
		key     int
		failure *Failure
	}
	// timerFired: a timer has run out; key 0 is the plan's.
	timerFired struct {
		key   int
		timer uint64
	}
	// toldToStop stands for a Stop, a Restart or a PoisonPill, and for the parent's wish to kill.
	toldToStop struct {
		mode    stopMode
		restart bool
	}
	// resumed: the mailbox of a supervisor without a link goes on.
	resumed struct{}
	// endNow lets the library stop or restart the supervisor.
	endNow struct{ message any }
)

func (*childStarted) signal() {}
func (*spawnFailed) signal()  {}
func (*timerFired) signal()   {}
func (*toldToStop) signal()   {}
func (*resumed) signal()      {}
