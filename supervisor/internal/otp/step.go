package otp

import "time"

// Op is what an Action does.
type Op string

// The operations. The last five are supervisor(3)'s functions of the same name.
const (
	Start Op = "start" // the root is started, once
	Stop  Op = "stop"  // the root's parent tells it to stop
	Exit  Op = "exit"  // a process ends by itself; a supervisor stops its children first
	Fail  Op = "fail"  // the next starts of a child fail
	Wait  Op = "wait"  // time passes

	StartChild     Op = "start_child"
	TerminateChild Op = "terminate_child"
	RestartChild   Op = "restart_child"
	DeleteChild    Op = "delete_child"
	WhichChildren  Op = "which_children" // answered with the names and states of the children
)

// Action is one thing that happens to the tree. Fields that an Op does not mention are zero.
//
// A With is about the child's own supervisor: the end of a sibling, a call to it, or that it is told to stop, by TerminateChild or, if it is
// the root, by Stop. It happens while the start that fails is under way, so that it is handled before that start is tried again.
type Action struct {
	Op         Op
	Supervisor string        // the five calls: who is asked
	Name       string        // Exit, Fail: who; the first four calls: about which child
	Reason     string        // Exit: killed is a kill from outside, for workers only
	Times      int           // Fail: how many starts; they replace what an earlier Fail left
	With       *Action       // Fail: what its supervisor finds in its mailbox after the last of the failing starts, or nil
	Wait       time.Duration // Wait: whole seconds
	Child      *Child        // StartChild: the specification of a worker; nil for simple_one_for_one, where the name is the new child's
}

// Step is what happens before any supervisor looks: mostly one Action. Several, all about the children of one supervisor, are in its
// mailbox in this order before it handles the first of them.
//
// An Exit of who is not running changes nothing, and neither does a Stop of a root that is gone. A call to a supervisor that is gone is
// answered with noproc.
type Step []Action

// Kind is what an Event tells.
type Kind string

// The kinds of events.
const (
	Started Kind = "started" // a start returned a process; a supervisor has started its children by then
	Failed  Kind = "failed"  // a start failed; of a supervisor, children that it had started are stopped by then
	Stopped Kind = "stopped" // a process ended because its supervisor said so, and why it ended
	Exited  Kind = "exited"  // a process ended by itself, and why
	Replied Kind = "replied" // a call about the named child was answered: Reason is ok or the error
)

// Event is one thing that can be observed from outside.
type Event struct {
	Kind   Kind
	Name   string
	Reason string // Stopped, Exited, Replied
}

func (e Event) String() string {
	if e.Reason == "" {
		return string(e.Kind) + " " + e.Name
	}
	return string(e.Kind) + " " + e.Name + " " + e.Reason
}

// Trace is what was observed: for each Step the events until nothing moved any more, in the order in which they happened, but for two
// things that have no order of their own. Replies come at the end of the step, in the order of the calls; and children of a
// simple_one_for_one supervisor, which stops them all at once, are in the order of their names if they are stopped in a row.
type Trace [][]Event

// Answers to calls, as Reason of Replied.
const (
	OK             = "ok"
	NoProc         = "noproc" // the supervisor is not running
	NotFound       = "not_found"
	Running        = "running"
	Restarting     = "restarting"
	AlreadyStarted = "already_started"
	AlreadyPresent = "already_present"
	Simple         = "simple_one_for_one"
	StartFailed    = "start_failed"
	BadSpec        = "bad_spec"
)
