package supervisor

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// member is a child as the running supervisor keeps it: its declaration, its actor, and its timer.
type member struct {
	spec  *ChildSpec
	link  *link // nil if it has no actor
	timer *time.Timer
}

func newMember(spec *ChildSpec) *member { return &member{spec: spec} }

func (m *member) rule() childRule {
	return childRule{
		name: m.spec.Name, restart: m.spec.Restart, shutdown: m.spec.shutdown(), backoff: m.spec.Backoff, significant: m.spec.Significant, ref: m,
	}
}

// decide asks the child's Decide. One that panics has no say.
func (m *member) decide(f *Failure, logger *slog.Logger) (d Directive) {
	if m.spec.Decide == nil {
		return 0
	}
	defer func() {
		if r := recover(); r != nil {
			logger.Error("Decide has panicked", slog.String("child", m.spec.Name), slog.Any("with", r))
			d = 0
		}
	}()
	return m.spec.Decide(f)
}

// spawn starts the child's actor anew.
func (m *member) spawn(ctx actor.Context, self actor.Process, key int, above *Spec) (l *link, err error) {
	l = &link{system: ctx.ActorSystem(), parent: self, self: ctx.Self(), key: key, nested: m.spec.isSupervisor()}
	base := m.spec.Props
	if m.spec.Supervisor != nil {
		base = propsOf(m.spec.Supervisor.inherit(above), nil)
	}
	defer func() {
		if r := recover(); r != nil { // in the producer, or in the mailbox's
			err = NewFailure(r, (*actor.Started)(nil))
		}
	}()
	l.pid, err = ctx.SpawnNamed(l.props(m.spec, base), m.spec.Name)
	if err != nil {
		return nil, fmt.Errorf("spawning %q: %w", m.spec.Name, err)
	}
	return l, nil
}
