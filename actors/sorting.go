package actors

import (
	"hash/fnv"
	"slices"
)

// Most services let their requests be served in any way: such a burst is not looked into before a worker has it. Where a
// handler has a key, or is declared slow, each burst is first sorted into runs of neighbours that belong together: those
// of one key slot, which one worker serves in order, and each slow request for itself.

// class is what a request's handler says about where it may be served: a key slot, slow, both, or nothing.
type class uint16

const (
	anywhere  class = 0
	slowClass class = 1 << 15 // never on a reader's goroutine
)

// noSlot is the slot of what has no key; the others count from one.
const noSlot uint16 = 0

func (c class) slot() uint16 { return uint16(c &^ slowClass) }
func (c class) slow() bool   { return c&slowClass != 0 }

// joins says whether a request of class c may follow one of class d in the same run.
func (c class) joins(d class) bool { return c == d && c != slowClass }

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
		return anywhere
	}
	is := anywhere
	if c.handler.Slow {
		is = slowClass
	}
	if c.handler.Key != nil {
		if key, err := c.key(); err == nil {
			is |= class(slotOf(key))
		}
	}
	return is
}

// submitRuns cuts a burst into runs, and has each served. A burst that is one run may be served where it is.
func (r *router) submitRuns(b *Burst, classes []class, inline bool) {
	var runs []*Burst // the last one first
	for i := len(b.frames) - 1; i > 0; i-- {
		if !classes[i].joins(classes[i-1]) {
			run := b.origin.split(b, i)
			run.slot = classes[i].slot()
			runs = append(runs, run)
		}
	}
	b.slot = classes[0].slot()
	if len(runs) == 0 && inline && !classes[0].slow() {
		r.submitRun(b)
		return
	}
	r.enqueuePieces(b)
	for _, run := range slices.Backward(runs) {
		r.enqueuePieces(run)
	}
}
