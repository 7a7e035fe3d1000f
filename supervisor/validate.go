package supervisor

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

// SpecError says what is wrong with one field of a Spec.
type SpecError struct {
	Supervisor string // the names of the supervisors from the top, joined by slashes; "" if they have none
	Child      string // "" if the field is the supervisor's own; "#2" for the third of those that have no name; "template" for the Template
	Field      string // as in the struct
	Value      any    // what the field holds
	Problem    string // what is wrong with it
}

// Error names the supervisor, the child, the field, its value and the problem.
func (e *SpecError) Error() string {
	var b strings.Builder
	b.WriteString("supervisor")
	if e.Supervisor != "" {
		fmt.Fprintf(&b, " %q", e.Supervisor)
	}
	if e.Child != "" {
		fmt.Fprintf(&b, ", child %q", e.Child)
	}
	fmt.Fprintf(&b, ": %s %v: %s", e.Field, e.Value, e.Problem)
	return b.String()
}

// Validate says everything that is wrong with the declaration, nested supervisors included: nil, or *SpecErrors joined by errors.Join.
func (s Spec) Validate() error {
	v := &validator{path: s.Name}
	v.spec(&s)
	return errors.Join(v.errs...)
}

type validator struct {
	path  string
	child string
	errs  []error
	above []*Spec // supervisors that contain this one, to find one that contains itself
}

func (v *validator) wrong(field string, value any, problem string) {
	v.errs = append(v.errs, &SpecError{Supervisor: v.path, Child: v.child, Field: field, Value: value, Problem: problem})
}

func (v *validator) spec(s *Spec) {
	if strings.Contains(s.Name, "/") {
		v.wrong("Name", s.Name, "must not contain a slash")
	}
	if s.Strategy < OneForOne || s.Strategy > Dynamic {
		v.wrong("Strategy", s.Strategy, "unknown")
	}
	if s.AutoShutdown < Never || s.AutoShutdown > AllSignificant {
		v.wrong("AutoShutdown", s.AutoShutdown, "unknown")
	}
	if s.Strategy == Dynamic {
		if len(s.Children) > 0 {
			v.wrong("Children", len(s.Children), "a dynamic supervisor starts without any, and StartChild adds them")
		}
		v.child = "template"
		v.rules(s, &s.Template)
		v.child = ""
		return
	}
	names := make(map[string]bool, len(s.Children))
	for i := range s.Children {
		c := &s.Children[i]
		v.child = c.Name
		if c.Name == "" {
			v.child = fmt.Sprintf("#%d", i)
			v.wrong("Name", `""`, "a static child needs one")
		}
		if names[c.Name] && c.Name != "" {
			v.wrong("Name", c.Name, "another child has it")
		}
		names[c.Name] = true
		v.whole(s, c)
		v.child = ""
	}
}

// whole checks a child that is to be started as it stands.
func (v *validator) whole(s *Spec, c *ChildSpec) {
	if c.Props == nil && c.Supervisor == nil {
		v.wrong("Props", "nil", "must be given, unless Supervisor is")
	}
	v.rules(s, c)
}

// rules checks what a template has as well.
func (v *validator) rules(s *Spec, c *ChildSpec) {
	if strings.Contains(c.Name, "/") {
		v.wrong("Name", c.Name, "must not contain a slash")
	}
	if c.Props != nil && c.Supervisor != nil {
		v.wrong("Supervisor", c.Supervisor.Name, "must not be given beside Props")
	}
	if c.Props != nil && mailboxOf(c.Props) == mailboxTheirs {
		v.wrong("Props", "with a mailbox", "nobody can wrap a mailbox that is in Props: give it as Mailbox")
	}
	if c.Props != nil && hasSpawner(c.Props) {
		v.wrong("Props", "with a spawner", "what a router or another spawner makes out of one child is not seen to start, fail or end: spawn it in a child")
	}
	if c.Mailbox != nil && c.isSupervisor() {
		v.wrong("Mailbox", "given", "a supervisor has its own")
	}
	if c.Restart < RestartPermanent || c.Restart > RestartTemporary {
		v.wrong("Restart", c.Restart, "unknown")
	}
	if c.Shutdown < Brutal {
		v.wrong("Shutdown", c.Shutdown, "must be a time, Infinite or Brutal")
	}
	if c.Significant && s.AutoShutdown == Never {
		v.wrong("Significant", true, "has no meaning under AutoShutdown never")
	}
	if c.Significant && c.Restart == RestartPermanent {
		v.wrong("Significant", true, "a permanent child cannot be significant, as it never ends for good")
	}
	if c.Supervisor != nil {
		v.nested(s, c)
	}
}

func (v *validator) nested(s *Spec, c *ChildSpec) {
	above := append(slices.Clip(v.above), s)
	if slices.Contains(above, c.Supervisor) {
		v.wrong("Supervisor", c.Supervisor.Name, "contains itself")
		return
	}
	name := v.child
	inner := &validator{path: strings.TrimPrefix(v.path+"/"+name, "/"), above: above}
	inner.spec(c.Supervisor)
	v.errs = append(v.errs, inner.errs...)
}

type mailboxOwner int

const (
	mailboxDefault mailboxOwner = iota
	mailboxOurs
	mailboxTheirs
)

// hasSpawner says whether Props are for something that is no actor of theirs, as a router's are. The library hides that field too.
func hasSpawner(props *actor.Props) bool {
	field := reflect.ValueOf(props).Elem().FieldByName("spawner")
	return field.IsValid() && field.Kind() == reflect.Func && !field.IsNil()
}

// mailboxOf says whose mailbox Props have. The library hides the field, but not whether it is set, nor which function it is. (A library
// without that field would make every Props look as if it had the default.)
func mailboxOf(props *actor.Props) mailboxOwner {
	field := reflect.ValueOf(props).Elem().FieldByName("mailboxProducer")
	switch {
	case !field.IsValid() || field.Kind() != reflect.Func || field.IsNil():
		return mailboxDefault
	case field.Pointer() == reflect.ValueOf(actor.MailboxProducer(newMailbox)).Pointer():
		return mailboxOurs
	}
	return mailboxTheirs
}
