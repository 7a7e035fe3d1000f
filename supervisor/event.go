package supervisor

import (
	"strconv"
	"time"
)

// Kind is what an Event tells of.
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
)

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
	}
	return "kind " + strconv.Itoa(int(k))
}

// Event is one thing that a strategy or a cascade saw or did.
type Event struct {
	Time        time.Time
	Kind        Kind
	Path        string        // id of the actor it is about: the child; for Drained the actor itself
	Failure     *Failure      // nil for Drained
	Directive   Directive     // what was decided; 0 for Drained
	Delay       time.Duration // RestartDelayed: how long; Restarted: how long it was, 0 at once
	BudgetLeft  int           // restarts left, where one was spent (or exempt)
	Incarnation int           // 0 for the first instance of the child, one more with every restart by its strategy; Restarted: the new one
}
