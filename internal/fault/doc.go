// Package fault injects faults: on purpose, as often as asked, and the same ones again for the same seed.
//
// A fault is written as one line, a SPEC: KIND TARGET [key=value]…, such as
//
//	panic worker/* p=0.01 seed=7
//	slow worker/2 delay=50ms after=100 count=3
//	hang worker/* after=100 count=1
//	panic session/* every=500ms
//
// KIND is what is done; each kind stands in a file of its own, and [Kinds] lists them. TARGET says to whom: worker/* is every
// worker, worker/N the one with that number, counted from 1; likewise session/*, session/N, acceptor/* and acceptor/N; pool is
// the one pool. Only a worker may be struck by what blocks, slow and hang: no other actor's Receive ever does. A fault strikes
// the requests, on workers, or the messages, on the other actors, that its target is about to handle:
//
//	p      the chance of each, from 0 to 1; 1 if left out
//	after  how many of them are spared first; 0 if left out
//	count  how many are struck in all; no limit if left out
//	seed   fixes which ones are struck; 0 if left out
//	delay  how long slow waits, as Go writes durations; slow needs it
//	for    how long hang hangs; until [Injector.Release] if left out
//	every  strikes by the clock instead, neither p nor after; for panic only
//
// With every=D, one of the targets that are live is picked at random in each interval of D, and what it is about to handle next
// is struck. If it ends first, another is picked; if it has nothing to handle before the interval is over, the next pick
// replaces it. So there is one strike an interval at most, and none is made up for. The first interval begins when a target
// first enters or handles something.
//
// # Adding a kind
//
// Add a file that declares the kind, as panic.go does, and put it in the list in kind.go; parsing, counting and choosing are
// there already. Set blocks if its strike may wait for anything: Parse then refuses any target but workers. A strike that waits
// with no end in sight must select on the channel it is given as well, and sets released. A key of its own takes a field in
// Spec with its line in String (spec.go), a case in set (parse.go), and a line in the table above; the tables in
// parse_test.go show the forms and the errors.
package fault
