package actors

import (
	"hash/fnv"
	"slices"
)

// Most services let their requests be served in any way: such a burst is not looked into before a worker has it. Where a
// handler has a key, or is declared slow, each burst is first sorted into runs of neighbours that belong together: those
// of one key slot, which one worker serves in order, and each slow request for itself.

// class is what a request's handler says about where it may be served. The zero class is served anywhere.
type class struct {
	slot  uint16   // the key slot, or noSlot
	slow  bool     // never on a reader's goroutine
	timed *Handler // the handler, if it has a deadline of its own
	asked *Handler // the handler, if it is an actor of the user's
}

// noSlot is the slot of what has no key; the others count from one.
const noSlot uint16 = 0

// joins says whether a request of class c may follow one of class d in the same run.
func (c class) joins(d class) bool {
	return c == d && c.asked == nil && (!c.slow || c.slot != noSlot)
}

// slotOf returns the slot of a key. It is the same in every process.
func slotOf(key string) uint16 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	v := h.Sum32()
	return uint16((v^v>>16)%keySlots) + 1
}

// sorted has a burst served in runs. classes has room for the requests of b, and is filled from k on. inline says that the
// caller's goroutine will live to see the end.
//
// A key function is the user's, and may panic, or end the goroutine: then the request has no slot, its worker calls the
// function again, where a crash is answered, and the sorting goes on.
func (r *router) sorted(b *Burst, classes []class, k int, inline bool) {
	finished := false
	defer func() {
		if !finished { // only a runtime.Goexit gets here
			r.sorted(b, classes, k+1, false)
		}
	}()
	for k < len(b.frames) {
		r.classify(b, classes, &k)
	}
	finished = true
	if r.stage.Table.keys && !r.sortings.end(b) {
		return // it took so long that the burst was answered
	}
	r.submitRuns(b, classes, inline)
}

// classify fills classes from *k on, to the end or past a request whose key function panics.
func (r *router) classify(b *Burst, classes []class, k *int) {
	defer func() {
		if recover() != nil {
			*k++
		}
	}()
	for ; *k < len(b.frames); *k++ {
		classes[*k] = r.stage.Table.class(b.buf[b.frames[*k].Start:b.frames[*k].End])
	}
}

// class finds out how a request is to be served. One that cannot be read may be answered anywhere.
func (t *Table) class(frame []byte) class {
	var c call
	if err := t.find(&c, frame); err != nil {
		return class{}
	}
	h := c.handler
	is := class{slow: h.Slow}
	if h.Deadline > 0 {
		is.timed = h
	}
	if h.Actor != nil {
		is.asked = h
	}
	if h.Key != nil {
		if key, err := c.key(); err == nil {
			is.slot = slotOf(key)
		}
	}
	return is
}

// submitRuns cuts a burst into runs, and has each served. A burst that is one run may be served where it is.
func (r *router) submitRuns(b *Burst, classes []class, inline bool) {
	var runs []sortedRun // the last one first
	for i, c := range slices.Backward(classes) {
		if i > 0 && c.joins(classes[i-1]) {
			continue
		}
		piece := b
		if i > 0 {
			piece = b.origin.split(b, i)
		}
		if c.asked != nil && piece.refusal != nil {
			runs = append(runs, sortedRun{piece.origin.split(piece, len(piece.frames)), nil}) // no actor is asked about it
		}
		piece.slot = c.slot
		if c.timed != nil {
			piece.limit(c.timed.Deadline)
		}
		runs = append(runs, sortedRun{piece, c.asked})
	}
	if len(runs) == 1 && inline && runs[0].asked == nil && !classes[0].slow {
		r.submitRun(b)
		return
	}
	r.spread(runs)
}

// sortedRun is a run, and the handler that it is for if that is an actor.
type sortedRun struct {
	*Burst
	asked *Handler
}

// spread has runs served elsewhere, of which the last is the first. Asking an actor may end the goroutine; the others go their
// way all the same.
func (r *router) spread(runs []sortedRun) {
	defer func() {
		if len(runs) > 0 { // only a runtime.Goexit gets here
			r.spread(runs)
		}
	}()
	for len(runs) > 0 {
		run := runs[len(runs)-1]
		runs = runs[:len(runs)-1]
		if run.asked != nil {
			r.asks.submit(run.Burst, run.asked)
		} else {
			r.enqueuePieces(run.Burst)
		}
	}
}
