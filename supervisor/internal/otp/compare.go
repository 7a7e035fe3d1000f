package otp

import (
	"fmt"
	"slices"
)

// Compare plays a case on the model and on something else, do, step by step, and returns the first difference, with all that led to it. do
// plays a step until nothing moves any more and returns what it observed; what has no order Compare puts in order itself (Model.Sort).
// The case's own Trace is not looked at.
func Compare(c Case, do func(Step) []Event) error {
	m := New(c.Spec)
	var trace Trace
	for i, s := range c.Steps {
		want, got := m.Do(s), slices.Clone(do(s))
		m.Sort(got)
		trace = append(trace, want)
		if !slices.Equal(got, want) {
			played := Case{Name: c.Name, Spec: c.Spec, Steps: c.Steps[:i+1], Trace: trace}
			return fmt.Errorf("step %d, %s\nmodel:    %v\nobserved: %v\n\nthe model says:\n\n%s", i+1, s, want, got, Format([]Case{played}))
		}
	}
	return nil
}

// Shrink makes a case that fails smaller for as long as it still does: it leaves out steps, and children with all that is below them. What
// it returns is valid if c was.
func Shrink(c Case, fails func(Case) bool) Case {
	for {
		smaller := slices.IndexFunc(candidates(c), func(s Case) bool { return s.Validate() == nil && fails(s) })
		if smaller < 0 {
			return c
		}
		c = candidates(c)[smaller]
	}
}

// candidates are a case's next smaller ones: first without a child, then without a step, the last ones first.
func candidates(c Case) []Case {
	var all []Case
	for spec := range without(c.Spec) {
		all = append(all, Case{Name: c.Name, Spec: spec, Steps: c.Steps})
	}
	for i := range slices.Backward(c.Steps) {
		all = append(all, Case{Name: c.Name, Spec: c.Spec, Steps: slices.Delete(slices.Clone(c.Steps), i, i+1)})
	}
	return all
}

// without yields the spec without one of its children, or without one of theirs.
func without(s *Spec) func(yield func(*Spec) bool) {
	return func(yield func(*Spec) bool) {
		for i, c := range s.Children {
			less := *s
			less.Children = slices.Delete(slices.Clone(s.Children), i, i+1)
			if !yield(&less) {
				return
			}
			if c.Supervisor == nil {
				continue
			}
			for below := range without(c.Supervisor) {
				changed := *s
				changed.Children = slices.Clone(s.Children)
				changed.Children[i].Supervisor = below
				if !yield(&changed) {
					return
				}
			}
		}
	}
}
