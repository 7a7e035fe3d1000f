package actors

// outbox holds replies that have left the window, in order, until they are written. It is plain data. Whoever writes owns
// it: the session, or the writer goroutine while there is one.
type outbox struct {
	bufs    [][]byte
	holds   []content    // of each buffer
	off     int          // how much of bufs[0] was written
	merge   int          // small buffers are joined up to this size
	bytes   int          // not written yet
	sent    int          // bytes written, not yet collected
	written content      // what was written to its last byte, not yet collected
	recycle func([]byte) // takes the buffers that are not needed any more
}

// content is what is in a buffer.
type content struct {
	replies int
	pushes  int // messages that the server says unasked
	pushed  int // their bytes
}

func (c *content) add(o content) {
	c.replies += o.replies
	c.pushes += o.pushes
	c.pushed += o.pushed
}

// push adds a buffer, which the outbox owns from then on.
func (o *outbox) push(buf []byte, has content) {
	if len(buf) == 0 && has == (content{}) {
		o.recycle(buf) // front would take it for the end
		return
	}
	o.bytes += len(buf)
	if last := len(o.bufs) - 1; last >= 0 && len(o.bufs[last])+len(buf) <= o.merge {
		o.bufs[last] = append(o.bufs[last], buf...)
		o.holds[last].add(has)
		o.recycle(buf)
		return
	}
	o.bufs = append(o.bufs, buf)
	o.holds = append(o.holds, has)
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
	o.written.add(o.holds[0])
	o.off = 0
	buf := o.bufs[0]
	o.bufs[0] = nil // nothing that was written is kept
	if len(o.bufs) == 1 {
		o.bufs, o.holds = o.bufs[:0], o.holds[:0]
	} else {
		o.bufs, o.holds = o.bufs[1:], o.holds[1:]
	}
	o.recycle(buf)
}

// drop gives up what is not written.
func (o *outbox) drop() {
	for _, buf := range o.bufs {
		o.recycle(buf)
	}
	o.bufs, o.holds, o.off, o.bytes = nil, nil, 0, 0
}

// collect returns what was written to its end since the last time, and how many bytes.
func (o *outbox) collect() (written content, bytes int) {
	written, bytes = o.written, o.sent
	o.written, o.sent = content{}, 0
	return written, bytes
}

// pending returns how many replies have not been written to their end.
func (o *outbox) pending() int {
	n := 0
	for _, c := range o.holds {
		n += c.replies
	}
	return n
}
