package actors

import (
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// encoder writes replies as they go out: framing header, arm, message. It does not change.
type encoder struct {
	table   *Table
	framing transport.Framing
	bufs    *transport.Buffers // where a reply that does not fit gets a larger buffer, and the smaller one goes; nil is nowhere
	plain   bool               // a frame is its length, as a varint, and the arm
}

func newEncoder(t *Table, f transport.Framing, bufs *transport.Buffers) *encoder {
	return &encoder{t, f, bufs, f == transport.Delimited && t.ReplyID == nil}
}

// newEncoders returns one for each framing, which all connections share.
func newEncoders(t *Table, bufs *transport.Buffers) map[string]*encoder {
	all := make(map[string]*encoder)
	for _, name := range transport.Framings() {
		f, _ := transport.FramingByName(name)
		all[name] = newEncoder(t, f, bufs)
	}
	return all
}

// maxOverhead is how many bytes the headers of a reply take at most, in any framing, and its id.
const maxOverhead = 64

// reply appends the reply to the request with that id, which is 0 if requests have none. If the message does not encode, dst
// comes back as it was, with the error.
func (e *encoder) reply(dst []byte, id uint64, arm *messages.Arm, m proto.Message) ([]byte, error) {
	fast, _ := m.(messages.Encoder)
	size := 0
	if fast != nil {
		size = fast.SizeVT()
		if e.plain && size < shortReply && arm.Number < 16 && cap(dst)-len(dst) >= size+3 {
			return appendShort(dst, arm, fast, size)
		}
	} else {
		size = proto.Size(m)
	}
	if e.bufs != nil && cap(dst)-len(dst) < size {
		dst = e.bufs.Grow(dst, size+maxOverhead)
	}
	start := len(dst)
	if ids := e.table.ReplyID; ids == nil {
		dst = e.framing.AppendHeader(dst, arm.Size(size))
	} else {
		dst = e.framing.AppendHeader(dst, ids.Size(id)+arm.Size(size))
		dst = ids.Append(dst, id)
	}
	dst = arm.AppendHeader(dst, size)
	inner := len(dst)
	var err error
	if fast != nil {
		dst, err = messages.AppendEncoder(dst, fast, size)
	} else {
		dst, err = messages.Append(dst, m, size)
	}
	if err == nil && len(dst)-inner != size {
		err = messages.ErrResized // the headers say another size: whoever reads them could not go on
	}
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// shortReply is the size from which on a reply's frame has a length of two bytes.
const shortReply = 0x80 - 2

// appendShort is reply for the most usual form, in as few steps as there are: three bytes of headers, and the message.
func appendShort(dst []byte, arm *messages.Arm, m messages.Encoder, size int) ([]byte, error) {
	start := len(dst)
	whole := dst[:start+3+size]
	frame := whole[start:]
	frame[0], frame[1], frame[2] = byte(size+2), byte(arm.Number)<<3|byte(protowire.BytesType), byte(size)
	n, err := m.MarshalToSizedBufferVT(frame[3:])
	if err == nil && n != size {
		err = messages.ErrResized
	}
	if err != nil {
		return dst, err
	}
	return whole, nil
}

// status appends an error reply. It cannot fail: the message of a status is made valid UTF-8. The table must have an arm for
// errors.
func (e *encoder) status(dst []byte, id uint64, s *messages.Status) []byte {
	dst, _ = e.reply(dst, id, e.table.ErrorArm, s.Proto())
	return dst
}
