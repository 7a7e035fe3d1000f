package otp

import (
	"slices"
	"strings"
)

// Sort puts the events of one step into the order that Trace promises, where things have no order of their own: replies come last, and
// children of a simple_one_for_one supervisor that are stopped in a row are in the order of their names. Do returns events so; whoever
// wants to compare them with what was observed elsewhere sorts that too, once this model has played the step.
func (m *Model) Sort(events []Event) {
	slices.SortStableFunc(events, func(a, b Event) int { return last(a) - last(b) })
	for from := 0; from < len(events); {
		to := from + 1
		if sup := m.together(events[from]); sup != "" {
			for to < len(events) && m.together(events[to]) == sup {
				to++
			}
			slices.SortStableFunc(events[from:to], func(a, b Event) int { return strings.Compare(a.Name, b.Name) })
		}
		from = to
	}
}

func last(e Event) int {
	if e.Kind == Replied {
		return 1
	}
	return 0
}

// together is the supervisor that stops e.Name together with its siblings, or empty.
func (m *Model) together(e Event) string {
	p := m.last[e.Name]
	if e.Kind != Stopped || p == nil || p.parent == nil || p.parent.spec.Strategy != SimpleOneForOne {
		return ""
	}
	return p.parent.process.spec.Name
}
