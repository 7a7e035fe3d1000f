package supervisor

import (
	"cmp"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
)

// spawning notes the order in which the parent starts its children.
func (s *Strategy) spawning(next actor.SpawnFunc) actor.SpawnFunc {
	return func(system *actor.ActorSystem, id string, props *actor.Props, parent actor.SpawnerContext) (*actor.PID, error) {
		pid, err := next(system, id, props, parent)
		if err == nil && s.Group != OneForOne {
			s.mu.Lock()
			if s.order == nil {
				s.order = make(map[string]int)
			}
			s.started++
			s.order[pid.Id] = s.started
			s.mu.Unlock()
		}
		return pid, err
	}
}

// group is who is restarted beside a child, in the order of starting: before it and after it.
func (s *Strategy) group(all []*actor.PID, child *actor.PID) (before, after []*actor.PID) {
	if s.Group == OneForOne {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.order != nil { // else the library's order, which is that of starting until a child stops
		all = slices.Clone(all)
		slices.SortStableFunc(all, func(a, b *actor.PID) int { return cmp.Compare(s.order[a.Id], s.order[b.Id]) })
	}
	i := slices.IndexFunc(all, func(pid *actor.PID) bool { return pid.Equal(child) })
	if i < 0 {
		return nil, nil
	}
	if s.Group == OneForAll {
		before = all[:i]
	}
	return before, all[i+1:]
}

// restartBeside restarts the other children of a group, whatever they wait for.
func (s *Strategy) restartBeside(system *actor.ActorSystem, others []*actor.PID, e Event) {
	for _, pid := range others {
		process, ok := system.ProcessRegistry.Get(pid)
		if !ok {
			continue // it has terminated, and the parent will hear of it
		}
		s.mu.Lock()
		c := s.children[pid.Id]
		if c != nil && c.process != process {
			s.drop(c)
			c = nil
		}
		if c == nil {
			c = s.add(system, &childState{pid: pid, process: process, meter: NewMeter(s.Budget), backoff: NewBackoffState(s.Backoff)})
		}
		c.cancel()
		c.incarnation++
		e.Path, e.Incarnation = pid.Id, c.incarnation
		s.mu.Unlock()
		process.SendSystemMessage(pid, &actor.Restart{})
		s.Events.Publish(e)
	}
}

// siblings are the children of the parent; a guardian does not know them, and panics.
func siblings(supervisor actor.Supervisor) []*actor.PID {
	if ctx, ok := supervisor.(actor.Context); ok {
		return ctx.Children()
	}
	return nil
}
