package actors

// window is a connection's requests in flight, in the order of their arrival. Replies enter it in any order and leave it
// in that of the requests. It counts in segments, one for each burst, so that it costs a burst, not a request; a burst
// that is split splits its segment. It is plain data: the connection's lock guards it.
type window struct {
	head, tail *segment
	free       *segment
	requests   int // in all segments
	bytes      int // of input, in all segments
}

// segment is the place of one burst's replies.
type segment struct {
	requests int
	bytes    int    // of input
	out      []byte // the replies, once done
	done     bool
	burst    *Burst // until done
	next     *segment
}

// append adds the segment of b, which has n requests that took that many bytes of input, at the end.
func (w *window) append(b *Burst, n, bytes int) *segment {
	s := w.newSegment()
	s.requests, s.bytes, s.burst = n, bytes, b
	if w.tail == nil {
		w.head = s
	} else {
		w.tail.next = s
	}
	w.tail = s
	w.requests += n
	w.bytes += bytes
	return s
}

// split leaves s its first k requests and gives the others a segment of their own, right behind it.
func (w *window) split(s *segment, k int, b *Burst) *segment {
	r := w.newSegment()
	r.requests, r.burst, r.next = s.requests-k, b, s.next
	r.bytes = s.bytes * r.requests / s.requests
	s.requests, s.bytes, s.next = k, s.bytes-r.bytes, r
	if w.tail == s {
		w.tail = r
	}
	return r
}

// complete puts the replies of s in their place.
func (w *window) complete(s *segment, out []byte) {
	s.out, s.done, s.burst = out, true, nil
}

// drop gives up everything.
func (w *window) drop() {
	for s := w.head; s != nil; {
		next := s.next
		*s = segment{}
		s = next
	}
	*w = window{}
}

// ready reports whether release would give something.
func (w *window) ready() bool { return w.head != nil && w.head.done }

// release takes the next segment's replies out, if they are there: out and how many requests they answer.
func (w *window) release() (out []byte, requests int, ok bool) {
	s := w.head
	if s == nil || !s.done {
		return nil, 0, false
	}
	w.head = s.next
	if w.head == nil {
		w.tail = nil
	}
	out, requests = s.out, s.requests
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
		return new(segment)
	}
	w.free = s.next
	s.next = nil
	return s
}
