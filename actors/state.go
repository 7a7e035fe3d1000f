package actors

import "fmt"

// State is a session's. docs/states.md has the picture.
type State int32

// The states of a session, in the order in which it passes through them; it may leave some out, and never goes back.
const (
	Connected State = iota // accepted; no request yet
	Active                 // requests were admitted
	Draining               // no more requests are read; those in flight are answered
	Closing                // everything is written and the socket half-closed; the peer has a moment to close
	Closed                 // the socket is closed
)

// String returns the state's name.
func (s State) String() string {
	switch s {
	case Connected:
		return "Connected"
	case Active:
		return "Active"
	case Draining:
		return "Draining"
	case Closing:
		return "Closing"
	case Closed:
		return "Closed"
	}
	return fmt.Sprintf("State(%d)", int32(s))
}

// canBecome says which transitions there are.
func (s State) canBecome(to State) bool {
	switch to {
	case Active:
		return s == Connected
	case Draining:
		return s == Connected || s == Active
	case Closing:
		return s == Draining
	case Closed:
		return s != Closed
	default:
		return false
	}
}
