// Package model is a model of the data path of package actors, small enough to be looked at in every state that it can
// reach: one connection with its window, the pool's queue, the cursor of each burst, the sweeper, and the session.
//
// One step of the model is one atomic step of the code: a compare-and-swap, load or store of something atomic, or a
// critical section of the connection's lock or the router's. Anything may happen between two steps. Plain reads and
// writes belong to the step that follows them; that nobody else can be touching what they touch is one of the properties
// that are checked. The session holds the connection's lock over several steps, as workers go on meanwhile.
//
// What is left out: writing takes everything at once and no writer goroutine is needed; a mailbox takes and runs messages
// as its own tests say; no actor is restarted but workers; sync.Pool always returns what was put there, which is the worst
// it can do; a worker stalls whenever the sweeper likes.
//
// Whatever in the code the properties rest upon is a [Guard], which can be left out.
package model
