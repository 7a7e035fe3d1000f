package actors

import "testing"

// All transitions there are; a session never goes back, and never to where it is.
func TestStateTransitions(t *testing.T) {
	states := []State{Connected, Active, Draining, Closing, Closed}
	can := map[[2]State]bool{
		{Connected, Active}:   true,
		{Connected, Draining}: true,
		{Connected, Closed}:   true,
		{Active, Draining}:    true,
		{Active, Closed}:      true,
		{Draining, Closing}:   true,
		{Draining, Closed}:    true,
		{Closing, Closed}:     true,
	}
	for _, from := range states {
		for _, to := range append(states, State(-1), State(5)) {
			if got, want := from.canBecome(to), can[[2]State{from, to}]; got != want {
				t.Errorf("%s to %s: %v, want %v", from, to, got, want)
			}
		}
	}
}

func TestStateString(t *testing.T) {
	want := map[State]string{
		Connected: "Connected", Active: "Active", Draining: "Draining", Closing: "Closing", Closed: "Closed", 9: "State(9)", -1: "State(-1)",
	}
	for s, name := range want {
		if got := s.String(); got != name {
			t.Errorf("state %d is %q, want %q", int32(s), got, name)
		}
	}
}
