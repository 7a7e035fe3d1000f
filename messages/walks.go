package messages

// What the actors say to each other, in the order of the walks in the design: a connection, a request, a crash, a
// shutdown. All of it is wake-ups: the state that a wake-up is about was written before it is sent, lives outside the
// actor, and is looked at again in Started, so that a crash can lose a message and nothing else.
//
//	message     from               to         about                                     answer
//	Accepted    accept loop        acceptor   connections wait to be taken              a session is spawned
//	Arrived     reader             session    a burst stands in the window              it is admitted or refused
//	Pull        router             worker     bursts wait in the queue                  the worker takes them
//	Resize      sweeper            pool       there should be more workers, or fewer    workers are started or stopped
//	Replied     worker             session    replies stand in the window               they are written
//	Flushed     writer             session    the writer goroutine has written all      the session writes again
//	InputEnded  reader             session    no more requests will come                the session drains, then closes
//	Lingered    lingering reader   session    the peer is gone or the bound has passed  the session stops
//	Drain       PoisonPill         session    finish                                    Draining, Closing, Closed
//	Expire      server             acceptors, the drain is nearly over                  UNAVAILABLE for what is unanswered
//	                               sessions
//	Force       server             itself     the drain is over                         everything is stopped
//	StatusReq.  anyone             server     what are you doing?                       a Status
type (
	// Accepted tells an acceptor that its accept loop has connections for it.
	Accepted struct{}
	// Arrived tells a session that its reader put a burst into the window.
	Arrived struct{}
	// Pull tells a worker that the pool's queue has bursts.
	Pull struct{}
	// Resize tells a pool that the number of workers that there should be has changed.
	Resize struct{}
	// Replied tells a session that replies are in its window.
	Replied struct{}
	// Flushed tells a session that its writer goroutine is done.
	Flushed struct{}
	// InputEnded tells a session that its reader has stopped reading requests.
	InputEnded struct{}
	// Lingered tells a session that the time for the peer to close is over.
	Lingered struct{}
	// Drain asks a session to answer what has arrived, and then to close.
	Drain struct{}
	// Expire asks a session to answer at once, with UNAVAILABLE, what is unanswered.
	Expire struct{}
	// Force asks a server to end its drain.
	Force struct{}
)

// IgnoreDeadLetterLogging keeps Proto.Actor from logging a timer's message that came too late.
func (Expire) IgnoreDeadLetterLogging() {}

// IgnoreDeadLetterLogging keeps Proto.Actor from logging a timer's message that came too late.
func (Force) IgnoreDeadLetterLogging() {}
