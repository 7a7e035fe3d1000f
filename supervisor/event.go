package supervisor

import (
	"strconv"
	"time"
)

// Kind is what an Event tells of. A Strategy tells of the first ones, a Cascade of Drained, Forced and GivenUp. A supervisor made of a Spec
// tells of those from Started on; besides, of Resumed, Escalated, RestartDelayed and BudgetSpent, of Failed (a child that is resumed), and of
// Stopped, when the child has stopped.
type Kind int

const (
	Failed         Kind = iota + 1 // a child failed; Directive is what was decided. One of the others follows
	Resumed                        // the child goes on
	Restarted                      // the child was told to restart: at once, or at the end of its delay
	RestartDelayed                 // the child will be told to restart after Delay
	Stopped                        // the child was told to stop
	Escalated                      // the failure went upward
	BudgetSpent                    // the child may not restart any more; Stopped or Escalated follows
	GivenUp                        // a child hangs, and its parent goes on without it
	Drained                        // an actor has drained its children and stops itself

	Started     // the child's first instance has handled Started
	Exited      // the child has ended by itself, for Reason, or failed; Directive is what its Decide said, 0 if the restart type decides
	Restarting  // the child will be restarted now; in its group's turn
	StartFailed // the child's Started failed, or it ended before, for Reason; if it was to be restarted, that is tried again
	Killed      // the child did not stop in time, or was to be killed at once, and was abandoned: it may still run, and Path names it
	Ended       // the supervisor has no child any more and ends, for Reason
	Forced      // the child had not drained when its Cascade's deadline came, or its draining parent was stopped, and was told to stop
)

// String returns the kind in lower case, such as "restart delayed".
func (k Kind) String() string {
	switch k {
	case Failed:
		return "failed"
	case Resumed:
		return "resumed"
	case Restarted:
		return "restarted"
	case RestartDelayed:
		return "restart delayed"
	case Stopped:
		return "stopped"
	case Escalated:
		return "escalated"
	case BudgetSpent:
		return "budget spent"
	case GivenUp:
		return "given up"
	case Drained:
		return "drained"
	case Started:
		return "started"
	case Exited:
		return "exited"
	case Restarting:
		return "restarting"
	case StartFailed:
		return "start failed"
	case Killed:
		return "killed"
	case Ended:
		return "ended"
	case Forced:
		return "forced"
	}
	return "kind " + strconv.Itoa(int(k))
}

// Event is one thing that a strategy, a supervisor or a cascade saw or did. Those of a child that is restarted because of another one's end, as
// one-for-all and rest-for-one do, carry that one's Reason, Failure, Directive and Delay.
type Event struct {
	Time        time.Time     // when, as the Now of the Strategy or the Spec says; of a Cascade, time.Now
	Kind        Kind          // what
	Path        string        // id of the actor it is about: the child; for Drained and Ended the actor itself
	Reason      Reason        // how it ended; of a restart, the end that it makes up for; 0 where nothing has ended, and of a Strategy
	Failure     *Failure      // what it ended of; nil where nothing has failed, and for Drained
	Directive   Directive     // what was decided; 0 for Drained, and where a Spec's restart type decides
	Delay       time.Duration // RestartDelayed: how long; Restarting, Restarted: how long it was, 0 at once
	BudgetLeft  int           // restarts that the budget allows now (of a Strategy only where one was spent, or exempt); 0 for Ended
	Incarnation int           // 0 for the first instance of the child, one more with every restart; Restarted: the new one
}
