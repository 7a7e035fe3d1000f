package actors

import "sync"

// window is a connection's requests in flight, in the order of their arrival. Replies enter it in any order and leave it
// in that of the requests, or, where requests have ids, as they come. It counts in segments, one for each burst, so that it costs a burst, not a request; a burst
// that is split splits its segment. It is plain data: the connection's lock guards it.
type window struct {
	head, tail *segment
	free       *segment
	requests   int // in all segments
	bytes      int // of input, in all segments

	unordered bool                // replies leave as they come
	broken    bool                // replies have left after which none can follow
	finished  *segment            // what is to leave next, if unordered
	last      *segment            // the last of these
	ids       map[uint64]struct{} // in flight; nil if there never was one
}

// segment is the place of one burst's replies.
type segment struct {
	requests int
	bytes    int    // of input
	out      []byte // the replies, once done
	burst    *Burst // until done
	next     *segment
	before   *segment
	then     *segment // the next one that has finished

	ids     []uint64 // those of its requests that it frees when it is done, 0 for none
	replies int32    // if broken: so many are in out,
	broken  bool     // and no other can follow
	done    bool
}

// segments are those that connections at rest have given up.
var segments = sync.Pool{New: func() any { return new(segment) }}

// rest gives up the segments that are free.
func (w *window) rest() {
	for s := w.free; s != nil; s = w.free {
		w.free, s.next = s.next, nil
		segments.Put(s)
	}
}

// append adds the segment of b, which has n requests that took that many bytes of input, at the end.
func (w *window) append(b *Burst, n, bytes int) *segment {
	s := w.newSegment()
	s.requests, s.bytes, s.burst = n, bytes, b
	if w.tail == nil {
		w.head = s
	} else {
		w.tail.next, s.before = s, w.tail
	}
	w.tail = s
	w.requests += n
	w.bytes += bytes
	return s
}

// split leaves s its first k requests and gives the others a segment of their own, right behind it.
func (w *window) split(s *segment, k int, b *Burst) *segment {
	r := w.newSegment()
	r.requests, r.burst, r.next, r.before = s.requests-k, b, s.next, s
	r.bytes = s.bytes * r.requests / s.requests
	s.requests, s.bytes, s.next = k, s.bytes-r.bytes, r
	if s.ids != nil {
		s.ids, r.ids = s.ids[:k], s.ids[k:]
	}
	if r.next == nil {
		w.tail = r
	} else {
		r.next.before = r
	}
	return r
}

// claim notes that a request with that id is in flight. It is false if another one is.
func (w *window) claim(id uint64) bool {
	if _, taken := w.ids[id]; taken {
		return false
	}
	if w.ids == nil {
		w.ids = make(map[uint64]struct{})
	}
	w.ids[id] = struct{}{}
	return true
}

// breakOff has the replies of s, which are not complete yet, end after so many of them, and nothing follow.
func (w *window) breakOff(s *segment, replies int) { s.broken, s.replies = true, int32(replies) }

// complete puts the replies of s in their place.
func (w *window) complete(s *segment, out []byte) {
	s.out, s.done, s.burst = out, true, nil
	for _, id := range s.ids {
		delete(w.ids, id)
	}
	if len(w.ids) == 0 {
		w.ids = nil // a map keeps the memory of all that it ever had
	}
	if !w.unordered {
		return
	}
	w.unlink(s)
	if w.last == nil {
		w.finished = s
	} else {
		w.last.then = s
	}
	w.last = s
}

// unlink takes s out of the order. It keeps its own links, for whoever walks over it.
func (w *window) unlink(s *segment) {
	if s.before == nil {
		w.head = s.next
	} else {
		s.before.next = s.next
	}
	if s.next == nil {
		w.tail = s.before
	} else {
		s.next.before = s.before
	}
}

// drop gives up everything.
func (w *window) drop() {
	w.rest()
	for s := w.head; s != nil; {
		next := s.next
		*s = segment{}
		s = next
	}
	for s := w.finished; s != nil; {
		then := s.then
		*s = segment{}
		s = then
	}
	*w = window{unordered: w.unordered, broken: w.broken}
}

// ready reports whether release would give something.
func (w *window) ready() bool {
	return !w.broken && (w.finished != nil || (w.head != nil && w.head.done))
}

// release takes the next segment's replies out, if they are there: out and how many requests they answer. After replies that
// were broken off there are none.
func (w *window) release() (out []byte, requests int, ok bool) {
	if !w.ready() {
		return nil, 0, false
	}
	s := w.finished
	if s == nil {
		s = w.head
		w.unlink(s)
	} else if w.finished = s.then; w.finished == nil {
		w.last = nil
	}
	out, requests = s.out, s.requests
	if s.broken {
		requests, w.broken = int(s.replies), true
	}
	w.requests -= s.requests
	w.bytes -= s.bytes
	*s = segment{next: w.free}
	w.free = s
	return out, requests, true
}

// pending calls f for the burst of each segment that is not done, in order, until f is false. f may split or complete
// segments.
func (w *window) pending(f func(*Burst) bool) {
	for s := w.head; s != nil; s = s.next {
		if !s.done && !f(s.burst) {
			return
		}
	}
}

// newSegment takes one that was released: a connection needs only as many as it had bursts in flight at once.
func (w *window) newSegment() *segment {
	s := w.free
	if s == nil {
		return segments.Get().(*segment)
	}
	w.free = s.next
	s.next = nil
	return s
}
