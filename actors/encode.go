package actors

import (
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/proto"
)

// encoder writes replies as they go out: framing header, arm, message.
type encoder struct {
	table   *Table
	framing transport.Framing
}

// reply appends the reply to the request with that id, which is 0 if requests have none. If the message does not encode, dst
// comes back as it was, with the error.
func (e encoder) reply(dst []byte, id uint64, arm *messages.Arm, m proto.Message) ([]byte, error) {
	fast, _ := m.(messages.Encoder)
	size := 0
	if fast != nil {
		size = fast.SizeVT()
	} else {
		size = proto.Size(m)
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

// status appends an error reply. It cannot fail: the message of a status is made valid UTF-8. The table must have an arm for
// errors.
func (e encoder) status(dst []byte, id uint64, s *messages.Status) []byte {
	dst, _ = e.reply(dst, id, e.table.ErrorArm, s.Proto())
	return dst
}
