package supervisor

import "github.com/asynkron/protoactor-go/actor"

// unsettled ends a decision that one of the strategy's functions cut short, by a panic or by runtime.Goexit. That is the parent's own failure
// too; but whatever is decided about the parent, Resume included, the child must not stay suspended for ever, so it is stopped first. In
// a guardian, which is no actor, a panic would end the process: there it ends with the child.
func (s *Strategy) unsettled(supervisor actor.Supervisor, child *actor.PID, recovered any) {
	f := failed(recovered, (*actor.Failure)(nil))
	s.Forget(child)
	supervisor.StopChildren(child)
	s.Events.Publish(Event{Kind: Stopped, Path: child.Id, Failure: f, Directive: Stop})
	if _, ok := supervisor.(actor.Context); ok {
		panic(f)
	}
}
