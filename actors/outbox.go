package actors

// outbox holds replies that have left the window, in order, until they are written. It is plain data. Whoever writes owns
// it: the session, or the writer goroutine while there is one.
type outbox struct {
	bufs    [][]byte
	replies []int        // in each buffer
	off     int          // how much of bufs[0] was written
	merge   int          // small buffers are joined up to this size
	bytes   int          // not written yet
	sent    int          // bytes written, not yet collected
	written int          // replies whose last byte was written, not yet collected
	recycle func([]byte) // takes the buffers that are not needed any more
}

// push adds a buffer of replies, which the outbox owns from then on.
func (o *outbox) push(buf []byte, replies int) {
	o.bytes += len(buf)
	if last := len(o.bufs) - 1; last >= 0 && len(o.bufs[last])+len(buf) <= o.merge {
		o.bufs[last] = append(o.bufs[last], buf...)
		o.replies[last] += replies
		o.recycle(buf)
		return
	}
	o.bufs = append(o.bufs, buf)
	o.replies = append(o.replies, replies)
}

// front returns what to write next, or nil.
func (o *outbox) front() []byte {
	if len(o.bufs) == 0 {
		return nil
	}
	return o.bufs[0][o.off:]
}

// advance notes that n bytes of front were written. It must be the first thing after the write.
func (o *outbox) advance(n int) {
	o.off += n
	o.bytes -= n
	o.sent += n
	if o.off < len(o.bufs[0]) {
		return
	}
	o.written += o.replies[0]
	o.off = 0
	buf := o.bufs[0]
	if len(o.bufs) == 1 {
		o.bufs, o.replies = o.bufs[:0], o.replies[:0]
	} else {
		o.bufs, o.replies = o.bufs[1:], o.replies[1:]
	}
	o.recycle(buf)
}

// collect returns how many replies were written to their end since the last time, and how many bytes.
func (o *outbox) collect() (replies, bytes int) {
	replies, bytes = o.written, o.sent
	o.written, o.sent = 0, 0
	return replies, bytes
}

// pending returns how many replies have not been written to their end.
func (o *outbox) pending() int {
	n := 0
	for _, r := range o.replies {
		n += r
	}
	return n
}
