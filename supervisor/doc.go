// Package supervisor decides who restarts whom. It adds to Proto.Actor what a server of actors needs and the library does not have: a guard
// that makes every way to fail visible, strategies with budgets and backoff, an orderly drain, and events that say what was done.
//
// It knows no socket and no server: any Proto.Actor program can import it alone.
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
// The parts, one a file:
//
//	Failure    what went wrong: value, stack, message, phase, incident id
//	Guard      turns a panic or a runtime.Goexit into a Failure, in every phase of an actor's life
//	Dispatcher runs mailboxes on goroutines and survives runtime.Goexit
//	Tracker    counts goroutines, so that a server can wait for them
//	Classify   bug, temporary, peer or critical, and what is usually done about each
//	Budget     how many restarts are too many (OTP's intensity and period)
//	Backoff    how long to wait before a restart
//	Strategy   a supervisor strategy made of the three above
//	Cascade    the poison pill, handed down through the tree in order, and waited for
//	Hub        hands events to subscribers without ever blocking who publishes
package supervisor
