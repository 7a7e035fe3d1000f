// Package supervisor decides who restarts whom. It adds to Proto.Actor what OTP has and the library does not: supervisors made from a
// declaration, with restart types, rest-for-one and one-for-all, a budget of restarts, significant children, and an ordered start and stop; a guard
// that makes every way to fail visible; strategies with budgets and backoff for other parents; an orderly drain; and events that say what was done.
//
// It knows no socket and no server: any Proto.Actor program can import it alone.
//
//	tree := supervisor.Spec{
//		Name:     "shop",
//		Strategy: supervisor.RestForOne, // who depends on whom stands before
//		Budget:   supervisor.Budget{Intensity: 5, Period: 10 * time.Second},
//		Children: []supervisor.ChildSpec{
//			{Name: "store", Props: store},
//			{Name: "carts", Supervisor: &supervisor.Spec{Strategy: supervisor.Dynamic, Template: supervisor.ChildSpec{Props: cart}}},
//			{Name: "front", Props: front, Backoff: supervisor.Backoff{Min: time.Second, Max: time.Minute}},
//		},
//	}
//	pid, err := supervisor.Spawn(system.Root, tree)
//
// An actor that is a parent for reasons of its own can have parts of that:
//
//	tracker := new(supervisor.Tracker)
//	dispatcher := supervisor.NewDispatcher(0, tracker)
//	events := supervisor.NewHub()
//	parent := actor.PropsFromProducer(newParent,
//		supervisor.WithGuard(report, dispatcher),
//		supervisor.WithStrategy(&supervisor.Strategy{
//			Budget: supervisor.Budget{Intensity: 5, Period: 10 * time.Second},
//			Events: events,
//		}),
//		supervisor.WithCascade(supervisor.Cascade{Events: events}),
//	)
//
// Give the guard first, so that it stands around the other middleware too. A Strategy has state: make one per parent.
//
// How a supervisor talks:
//
//	from       to          message                                      answer
//	anybody    supervisor  StartChild, StopChild, RestartChild,         ChildReply
//	                       DeleteChild, AwaitStart
//	anybody    supervisor  GetChildren                                  Children
//	anybody    supervisor  CountChildren                                Counts
//	anybody    supervisor  PoisonPill: drain and end; Stop: end         Terminated, to watchers
//	supervisor child       Stop, PoisonPill, Restart                    Terminated, or nothing in time: abandoned
//
// The parts, one a file:
//
//	Spec       a supervisor and its children, declared; Validate says what is wrong
//	core       its rules, a state machine without actors, after OTP's supervisor(3)
//	link       what stands around each child: confirms starts, notes ends, abandons who hangs
//	Tree       the living tree, seen from outside
//	Reason     how an actor ended; Exit ends one with a reason
//	Failure    what went wrong: value, stack, message, phase, incident id
//	Guard      turns a panic or a runtime.Goexit into a Failure, in every phase of an actor's life
//	Raise      errors sent as failures: Fail in an actor, Protect for its goroutines and timers, Raise from anywhere
//	Dispatcher runs mailboxes on goroutines and survives runtime.Goexit
//	Tracker    counts goroutines, so that a server can wait for them
//	Classify   bug, temporary, peer or critical, and what is usually done about each
//	Budget     how many restarts are too many (OTP's intensity and period)
//	Backoff    how long to wait before a restart
//	Strategy   a supervisor strategy made of the three above
//	Cascade    the poison pill, handed down through the tree in order, and waited for
//	Hub        hands events to subscribers without ever blocking who publishes
//	deathwatch Await, StopAndAwait, PoisonAndAwait: wait for the end of actors, under a context; AwaitAsync inside of an actor
//	Watchdog   finds actors that hang in a message
//	Breaker    a circuit breaker for handlers that call something fragile
package supervisor
