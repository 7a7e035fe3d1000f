package supervisor_test

import (
	"slices"

	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// asPlayed is a case with what has no meaning here taken out of it, before the model and the supervisor play it. It changes only what happens at
// once, never what follows from one thing.
//
//   - OTP's supervisor starts and stops a child while everything else waits in its mailbox. Here that is so of a group's restart only: a
//     one-for-one or dynamic supervisor, and any that starts or stops a single child on request, goes on beside it. So what is behind a
//     request in the mailbox is played after it; and what happens together with others in a group is a request only if it starts and stops
//     nobody, or if nothing can be behind it: no start fails, which would be tried again.
//   - A mailbox of Proto.Actor hands out the ends of children before requests. GetChildren is answered, and a wrong declaration refused, at once,
//     also within a restart.
func asPlayed(c otp.Case) otp.Case {
	n := &normalizer{groups: map[string]bool{}, never: map[string]bool{}, owner: map[string]string{}, asked: map[string]bool{}}
	n.family(otp.Root, c.Spec)
	for _, s := range c.Steps {
		for i := range s {
			n.note(&s[i])
		}
	}
	var steps []otp.Step
	for _, s := range c.Steps {
		steps = append(steps, n.step(s)...)
	}
	return otp.Case{Name: c.Name, Spec: c.Spec, Steps: steps, Trace: c.Trace}
}

type normalizer struct {
	groups map[string]bool   // supervisors that restart groups
	never  map[string]bool   // those that do not shut down automatically
	owner  map[string]string // of each child
	asked  map[string]bool   // children that somebody asks to start
	fails  bool              // starts do
}

func (n *normalizer) family(name string, s *otp.Spec) {
	n.never[name] = s.AutoShutdown == "" || s.AutoShutdown == otp.Never
	n.groups[name] = s.Strategy == otp.OneForAll || s.Strategy == otp.RestForOne
	for _, c := range s.Children {
		n.owner[c.Name] = name
		if c.Supervisor != nil {
			n.family(c.Name, c.Supervisor)
		}
	}
}

func (n *normalizer) note(a *otp.Action) {
	switch a.Op {
	case otp.StartChild, otp.RestartChild:
		n.asked[a.Name] = true
		n.owner[a.Name] = a.Supervisor
	case otp.Fail:
		n.fails = true
	}
}

func (n *normalizer) step(s otp.Step) []otp.Step {
	if len(s) == 1 {
		return []otp.Step{{n.alone(s[0])}}
	}
	exits, calls := n.split(s)
	var steps []otp.Step
	if len(exits) > 0 && n.groups[n.owner[exits[0].Name]] {
		if len(calls) > 0 && !n.atOnce(&calls[0]) && (calls[0].Op == otp.DeleteChild || !n.fails) {
			exits, calls = append(exits, calls[0]), calls[1:]
		}
		steps = append(steps, exits)
		exits = nil
	}
	for _, a := range slices.Concat(exits, calls) {
		steps = append(steps, otp.Step{a})
	}
	return steps
}

func (n *normalizer) split(s otp.Step) (exits, calls otp.Step) {
	for _, a := range s {
		if a.Op == otp.Exit {
			exits = append(exits, a)
		} else {
			calls = append(calls, a)
		}
	}
	return exits, calls
}

// alone is an action without what happens during it, unless that is a start in the restart of a group.
func (n *normalizer) alone(a otp.Action) otp.Action {
	if a.With != nil && (!n.groups[n.owner[a.Name]] || n.asked[a.Name] || !n.fits(a.Name, a.With)) {
		a.With = nil
	}
	return a
}

// fits says whether something may happen while the child starts. Requests about itself start and stop nobody: it is being restarted.
func (n *normalizer) fits(child string, with *otp.Action) bool {
	switch with.Op {
	case otp.StartChild, otp.RestartChild, otp.TerminateChild:
		return !n.atOnce(with) && (with.Name == child || with.Name == n.owner[child])
	}
	return !n.atOnce(with)
}

// atOnce says whether a request does not wait for its turn.
func (n *normalizer) atOnce(a *otp.Action) bool {
	wrong := a.Child != nil && a.Child.Significant && (n.never[a.Supervisor] || restartTypes[a.Child.Restart] == supervisor.RestartPermanent)
	return wrong || a.Op == otp.WhichChildren
}
