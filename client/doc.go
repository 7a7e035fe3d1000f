// Package client speaks to an Understudy server, and to any other that keeps its wire: one reply to each request, in the
// order of the requests or, with request ids, in any order.
//
// [Dial] is given the URL, the two envelopes, messages with one oneof each, and [Options], of which the zero value works:
//
//	c, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](ctx, url, client.Options{})
//
// [Call] is given the message to send and the type of the reply; the rest is found by the types (which is what [Message] is for):
//
//	sum, err := client.Call[messages.AddResponse](ctx, c, &messages.AddRequest{A: 2, B: 40})
//
// A [CallOption] says more about a call: [Arm] and [ReplyArm] which arm is meant where several have a type, [Fields] what stands
// outside the envelope's oneof, [Idempotent] that it may be served twice.
//
// # Connections
//
// A [Client] has up to [Options].Connections connections: the first is made by Dial, the others when those that there are have
// something to do. A call goes to the one with the fewest requests in flight. Calls are pipelined: none waits for another's
// reply, and what is sent at the same time goes out in one write. A connection that has broken is replaced when it is needed;
// after a failure to connect the next try waits, twice as long each time, up to [Options].MaxBackoff.
//
// A server that drains answers what it has read and closes. Its replies are taken in to the last; what it left unanswered fails
// with Unavailable; later calls go to another connection. [Client.Shutdown] lets the calls that have begun come to their end, and
// [Client.Close] does not. [Client.Counts] says what a client has and has done, as [Counts].
//
// # Errors
//
// Dial fails with a *[DialError] if the server cannot be reached. The errors of calls are *[messages.Status], so
// errors.Is(err, messages.ResourceExhausted) tells them apart. NotStarted says
// that the request was surely not begun: it never got out of this process, or the server said so. Otherwise whether it was is
// not known.
//
// # Retries
//
// A call that failed is tried again, up to [Options].Retries times, if it was surely not started and the code is one that may
// pass (UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNKNOWN, DEADLINE_EXCEEDED), or if it was declared [Idempotent] and
// the code is UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED or INTERNAL. Before each try it waits as long as the server advised, and
// a random part of a time that doubles. It does not wait for what would come after the context's deadline. All calls of a client
// share a budget of 100 retries, to which every call that succeeds adds a tenth of one, so that retries do not bury a server
// that fails all the time.
//
// # Pushes
//
// A server may send messages that nobody asked for; each [Push] of [Options].Pushes, made by [OnPush], says who gets those of one
// arm, and how they are told from replies.
package client
