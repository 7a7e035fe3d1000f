package otp

import "fmt"

// Case is a tree, what happens to it, and what was observed of it.
type Case struct {
	Name  string
	Spec  *Spec
	Steps []Step
	Trace Trace // as recorded: one list of events for each step; all empty if it has not been recorded yet
}

// Validate refuses specs as Spec.Validate does, and steps that the model does not cover.
func (c *Case) Validate() error {
	if err := c.Spec.Validate(); err != nil {
		return err
	}
	kinds := c.Spec.kinds(Root, map[string]kind{Root: {supervisor: true}})
	for _, s := range c.Steps {
		for i := range s {
			if err := s[i].validate(kinds); err != nil {
				return err
			}
			if about := s[i].about(kinds); len(s) > 1 && (about == "" || about != s[0].about(kinds)) {
				return fmt.Errorf("%s cannot happen together with %s", s[i], s[0])
			}
		}
	}
	return nil
}

// kind is what a name stands for.
type kind struct {
	supervisor bool
	simple     bool   // a simple_one_for_one supervisor
	template   bool   // the child of one
	owner      string // its supervisor
}

func (s *Spec) kinds(name string, all map[string]kind) map[string]kind {
	simple := s.Strategy == SimpleOneForOne
	self := all[name]
	self.simple = simple
	all[name] = self
	for _, c := range s.Children {
		all[c.Name] = kind{supervisor: c.Supervisor != nil, template: simple, owner: name}
		if c.Supervisor != nil {
			c.Supervisor.kinds(c.Name, all)
		}
	}
	return all
}

func (a *Action) validate(kinds map[string]kind) error {
	who, known := kinds[a.Name]
	switch a.Op {
	case Start, Stop, Wait:
		return nil
	case Exit:
		if !known || who.template || who.supervisor && a.Reason == Killed || a.Reason == "" {
			return fmt.Errorf("exit %s %s: want a known name, a reason, and no supervisor killed", a.Name, a.Reason)
		}
		return nil
	case Fail:
		switch {
		case a.Name == Root || a.Times < 1 || who.template:
			return fmt.Errorf("fail %s %d: want the name of a child, and at least one", a.Name, a.Times)
		case a.With == nil:
			return nil
		}
		return a.validateWith(kinds)
	}
	sup := kinds[a.Supervisor]
	switch {
	case !sup.supervisor:
		return fmt.Errorf("%s: %s is no supervisor", a.Op, a.Supervisor)
	case a.Op == WhichChildren:
		return nil
	case known && who.owner != a.Supervisor:
		return fmt.Errorf("%s: %s is not %s's", a.Op, a.Name, a.Supervisor)
	case a.Op == StartChild && sup.simple:
		if known || a.Child != nil {
			return fmt.Errorf("start_child: %s: each child of %s needs a new name and no specification", a.Name, a.Supervisor)
		}
		kinds[a.Name] = kind{owner: a.Supervisor}
	case a.Op == StartChild:
		if a.Child == nil || a.Child.Name != a.Name || a.Child.Supervisor != nil {
			return fmt.Errorf("start_child: %s: want the specification of a worker", a.Name)
		}
		kinds[a.Name] = kind{owner: a.Supervisor}
		return a.Child.validate(nil)
	}
	return nil
}

// about is the supervisor in whose mailbox the action ends up, or empty.
func (a *Action) about(kinds map[string]kind) string {
	if a.Op == Exit {
		return kinds[a.Name].owner
	}
	return a.Supervisor
}

func (a *Action) validateWith(kinds map[string]kind) error {
	w, owner := a.With, kinds[a.Name].owner
	switch {
	case w.Op == Stop && owner == Root, w.Op == TerminateChild && w.Name == owner: // the end of the supervisor itself
	case w.about(kinds) != owner, owner == "":
		return fmt.Errorf("fail %s with %s: want something about its supervisor", a.Name, w)
	}
	return w.validate(kinds)
}
