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

// reply appends one reply. If the message does not encode, dst comes back as it was, with the error.
func (e encoder) reply(dst []byte, arm *messages.Arm, m proto.Message) ([]byte, error) {
	size := messages.Size(m)
	start := len(dst)
	dst = e.framing.AppendHeader(dst, arm.Size(size))
	dst = arm.AppendHeader(dst, size)
	dst, err := messages.Append(dst, m, size)
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// status appends an error reply. It cannot fail: the message of a status is made valid UTF-8.
func (e encoder) status(dst []byte, s *messages.Status) []byte {
	dst, _ = e.reply(dst, e.table.ErrorArm, s.Proto())
	return dst
}
