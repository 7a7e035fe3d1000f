package transport

import "sync"

// growFrom is how many bytes of a frame must have come, without its end, in more than one read, before the socket is read
// into a buffer of the frame's own. Below, copying the part for each read is cheaper than reading no further than its end.
const growFrom = 256

// placesOf is for how many frames there is memory at first.
const placesOf = 16

// places recycles memory for Input.Frames, so that a connection at rest has none, and what has ended leaves its own to others.
var places = sync.Pool{New: func() any { return new([placesOf]Frame) }}

// leavePlaces gives up the memory of in.Frames, which is empty.
func leavePlaces(in *Input) {
	if cap(in.Frames) == placesOf {
		places.Put((*[placesOf]Frame)(in.Frames[:placesOf]))
	}
	in.Frames = nil
}

// cut cuts buf from off on into at most limit frames, and hands out a buffer with them. What is left stays in r.hold if
// there is another whole frame in it, else in r.part. It tells whether there is a frame or an error to return.
func (r *Reader) cut(in *Input, buf []byte, off, limit int) bool {
	var (
		end, need = off, 0
		more      bool
	)
	_, short := r.framing.(delimited)
	short = short && r.max >= 0x80
	if in.Frames == nil {
		in.Frames = places.Get().(*[placesOf]Frame)[:0]
	}
	for end < len(buf) {
		if short {
			if size := (delimited{}).short(buf[end:]); size >= 0 {
				if more = len(in.Frames) == limit; more {
					break
				}
				in.Frames = append(in.Frames, Frame{Start: end + 1, End: end + 1 + size})
				end += 1 + size
				continue
			}
		}
		payload, n, want, err := r.framing.Next(buf[end:], r.max)
		if err != nil {
			r.failed, in.Err = err, err
			break
		}
		if n == 0 {
			need = want
			break
		}
		if more = len(in.Frames) == limit; more {
			break
		}
		end += n
		in.Frames = append(in.Frames, Frame{Start: end - len(payload), End: end})
	}
	in.Bytes = end - off
	switch {
	case more:
		r.keepFrames(in, buf, off, end)
	case in.Err != nil:
		r.forgetPart()
		r.handOut(in, buf)
	default:
		rest := buf[end:]
		if len(rest) == 0 && !r.growing {
			r.part = r.part[:0] // its memory serves the next partial frame; an idle connection drops it
			r.handOut(in, buf)
		} else {
			r.keepPart(in, buf, rest, need)
		}
	}
	return len(in.Frames) > 0 || in.Err != nil
}

// keepFrames copies the frames of this Read, buf[off:end], to a buffer to hand out, and keeps buf for the next ones. So
// each byte is copied once, however small the limit is.
func (r *Reader) keepFrames(in *Input, buf []byte, off, end int) {
	out := r.bufs.Get()
	if end-off > cap(out) {
		r.bufs.Put(out)
		out = r.dedicated(end - off)
	}
	in.Buf = append(out, buf[off:end]...)
	for i := range in.Frames {
		in.Frames[i].Start -= off
		in.Frames[i].End -= off
	}
	r.forgetPart()
	r.hold, r.off = buf, end
}

// keepPart hands out buf if a frame was cut from it, and keeps rest, the start of the next one.
func (r *Reader) keepPart(in *Input, buf, rest []byte, need int) {
	r.need = need
	cutNone := len(in.Frames) == 0
	if r.growing && cutNone {
		r.part = buf
		return
	}
	again := cutNone && len(r.part) > 0 // the part that was held is still one
	if r.growing {
		r.forgetPart() // its memory is what is handed out
	}
	if len(rest) >= r.bufs.Size() || again && len(rest) >= growFrom {
		r.growing = true
		size := r.roomFor(len(rest))
		r.part, r.full = append(r.dedicated(size), rest...), size
	} else {
		r.part = append(r.part[:0], rest...)
	}
	if !again && len(rest) > 0 {
		r.timer.began()
	}
	r.handOut(in, buf)
}

// handOut gives buf to the caller of Read if there are frames in it, else back to the pool.
func (r *Reader) handOut(in *Input, buf []byte) {
	r.hold, r.off = nil, 0
	if len(in.Frames) > 0 {
		in.Buf = buf
		return
	}
	r.bufs.Put(buf)
}

func (r *Reader) forgetPart() { r.part, r.growing = nil, false }
