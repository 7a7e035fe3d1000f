// Package fault injects faults: on purpose, as often as asked, and the same ones again for the same seed.
//
// A fault is written as one line, a SPEC: KIND TARGET [key=value]…, such as
//
//	panic worker/* p=0.01 seed=7
//	slow worker/2 delay=50ms after=100 count=3
//
// KIND is what is done; each kind stands in a file of its own, and [Kinds] lists them. TARGET says to whom: worker/* is every
// worker, worker/N the one with that number, counted from 1. A fault strikes the requests that its target is about to
// handle:
//
//	p      the chance of each, from 0 to 1; 1 if left out
//	after  how many of them are spared first; 0 if left out
//	count  how many are struck in all; no limit if left out
//	seed   fixes which ones are struck; 0 if left out
//	delay  how long slow waits, as Go writes durations; slow needs it
//
// To add a kind, add a file that declares it and put it in the list in kind.go; parsing, counting and choosing are there
// already.
package fault
