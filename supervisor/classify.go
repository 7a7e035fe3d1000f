package supervisor

import (
	"errors"
	"strconv"
)

// Class is the kind of a failure, which says what is usually done about it.
type Class int

const (
	ClassBug       Class = iota // any panic and any error that nobody classified
	ClassTemporary              // passes by itself: try again after a while
	ClassPeer                   // the other side's doing: a restart would not help
	ClassCritical               // beyond this supervisor
)

// String returns the class in lower case, such as "temporary".
func (c Class) String() string {
	switch c {
	case ClassBug:
		return "bug"
	case ClassTemporary:
		return "temporary"
	case ClassPeer:
		return "peer"
	case ClassCritical:
		return "critical"
	}
	return "class " + strconv.Itoa(int(c))
}

type classified struct {
	class Class
	err   error
}

func (c *classified) Error() string { return c.err.Error() }
func (c *classified) Unwrap() error { return c.err }

func classify(class Class, err error) error {
	if err == nil {
		return nil
	}
	return &classified{class: class, err: err}
}

// Temporary marks an error as one that passes by itself. It is nil if err is.
func Temporary(err error) error { return classify(ClassTemporary, err) }

// Peer marks an error as the other side's doing. It is nil if err is.
func Peer(err error) error { return classify(ClassPeer, err) }

// Critical marks an error as beyond the supervisor that hears of it first. It is nil if err is.
func Critical(err error) error { return classify(ClassCritical, err) }

// Classify finds the mark that an error carries; of several, the outermost, as who wrapped last knew most. It looks through *Failure and
// everything else that unwraps. What carries no mark, and any value that is not an error, is a bug.
func Classify(value any) Class {
	err, ok := value.(error)
	if !ok {
		return ClassBug
	}
	if c, ok := errors.AsType[*classified](err); ok {
		return c.class
	}
	return ClassBug
}

// Directive is what a strategy does with a child that failed. The zero value is none of them: the default by class.
type Directive int

const (
	Resume       Directive = iota + 1 // go on with the next message, in the same state
	Restart                           // a new instance, the same mailbox, at once
	RestartLater                      // a new instance after a backoff; until then the child stays suspended and its messages wait
	Stop                              // stop the child; what waits in its mailbox is dropped by the library, silently
	Escalate                          // it is the supervisor's own failure
)

// String returns the directive in lower case, such as "restart later", or "none" for 0.
func (d Directive) String() string {
	switch d {
	case 0:
		return "none"
	case Resume:
		return "resume"
	case Restart:
		return "restart"
	case RestartLater:
		return "restart later"
	case Stop:
		return "stop"
	case Escalate:
		return "escalate"
	}
	return "directive " + strconv.Itoa(int(d))
}

// DirectiveFor is the usual directive for a class: a bug restarts the child, a temporary failure restarts it after a backoff, the peer's
// failure stops it, a critical one escalates.
func DirectiveFor(c Class) Directive {
	switch c {
	case ClassTemporary:
		return RestartLater
	case ClassPeer:
		return Stop
	case ClassCritical:
		return Escalate
	}
	return Restart
}
