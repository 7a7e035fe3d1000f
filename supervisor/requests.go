package supervisor

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// What a running supervisor is asked, by a request to its PID. It answers while children start, stop and wait for a restart; a change has to
// wait until the restart of a group, or the first start, has ended.
type (
	// StartChild adds a child and starts it; answered with a ChildReply when it has handled Started. A child that fails to start is not
	// added. Under a Dynamic supervisor only Name, and Props or Supervisor, are read: the rest is the Template's, and they too if not given.
	StartChild struct {
		Child ChildSpec // as in Spec.Children
	}
	// StopChild stops a child; answered with a ChildReply when it has stopped. Its declaration stays, unless it is temporary or dynamic. Its
	// end does not count for AutoShutdown. (OTP's terminate_child.)
	StopChild struct {
		Name string // of the child, under its supervisor
	}
	// RestartChild starts a child again that has ended or was stopped; answered with a ChildReply when it has handled Started.
	RestartChild struct {
		Name string // of the child, under its supervisor
	}
	// DeleteChild takes away the declaration of a child that has ended or was stopped; answered with a ChildReply.
	DeleteChild struct {
		Name string // of the child, under its supervisor
	}
	// GetChildren asks for the children; answered with Children at once.
	GetChildren struct{}
	// CountChildren asks how many there are; answered with Counts at once.
	CountChildren struct{}
	// AwaitStart is answered with a ChildReply of the supervisor itself when all its children have started, or when that has failed.
	AwaitStart struct{}
)

// ChildReply answers a request about a child. Err is nil or a *ChildError. To AwaitStart it says of the supervisor itself what the start has failed
// with (a *StartError can be found in it), ErrStopping or ErrBusy.
type ChildReply struct {
	Name string     // of the child, or of the supervisor itself
	PID  *actor.PID // nil if it does not run
	Err  error      // why it was refused or failed; nil if it was not
}

// Children answers GetChildren: the children in the order of starting.
type Children struct {
	List []Node // a copy, with what is below the supervisors among them
}

// Counts answers CountChildren.
type Counts struct {
	Specs       int // declarations, whether or not they run
	Active      int // children that run, or start, or stop
	Supervisors int // declarations of supervisors
	Workers     int // declarations of others
}

// ChildError is why a request was refused or failed: one of the errors below, or what the child failed to start with.
type ChildError struct {
	Op    string // "start", "stop", "restart" or "delete"
	Child string // its name
	Err   error  // the cause; never nil
}

// Error names the request, the child and the cause.
func (e *ChildError) Error() string {
	return fmt.Sprintf("supervisor: cannot %s child %q: %v", e.Op, e.Child, e.Err)
}

// Unwrap returns Err.
func (e *ChildError) Unwrap() error { return e.Err }

// Why a request is refused; the Err of a ChildError.
var (
	// ErrNotFound answers StopChild, RestartChild and DeleteChild.
	ErrNotFound = errors.New("no such child")
	// ErrAlreadyStarted answers StartChild.
	ErrAlreadyStarted = errors.New("a child of that name runs")
	// ErrAlreadyPresent answers StartChild; RestartChild may be meant, or the restart that the child waits for.
	ErrAlreadyPresent = errors.New("a child of that name is declared and does not run")
	// ErrRunning answers RestartChild and DeleteChild.
	ErrRunning = errors.New("the child runs")
	// ErrRestarting answers RestartChild and DeleteChild.
	ErrRestarting = errors.New("the child waits for its restart")
	// ErrDynamic answers RestartChild and DeleteChild.
	ErrDynamic = errors.New("a dynamic supervisor's children cannot be restarted or deleted")
	// ErrStopping answers any request that would change something, AwaitStart, and a start that was stopped.
	ErrStopping = errors.New("the supervisor or the child is stopping")
	// ErrBusy answers a request that would have to wait, if too many do.
	ErrBusy = errors.New("too many requests wait already")
	// ErrExited answers a start that ended without a failure.
	ErrExited = errors.New("it ended before it had started")
)

// StartError is what a supervisor ends with if one of its children fails to start at its own start.
type StartError struct {
	Child string // its name
	Err   error  // what the child failed with: a *Failure, or what it ended with
}

// Error names the child and the cause.
func (e *StartError) Error() string {
	return fmt.Sprintf("supervisor: child %q failed to start: %v", e.Child, e.Err)
}

// Unwrap returns Err.
func (e *StartError) Unwrap() error { return e.Err }

// startError is why a child did not start.
func startError(x exit) error {
	if x.failure != nil {
		return x.failure
	}
	return ErrExited
}

// startFailure is startError as the failure of its supervisor.
func startFailure(name string, x exit) *Failure {
	f := &Failure{Value: &StartError{Child: name, Err: startError(x)}, Message: "*actor.Started", Phase: PhaseStarted}
	if x.failure != nil {
		f.Incident, f.PCs = x.failure.Incident, x.failure.PCs
	} else {
		f.Incident = NewIncident()
	}
	return f
}

func (k requestKind) String() string {
	return nameOf(int(k), "request", "none", "start", "stop", "restart", "delete")
}
