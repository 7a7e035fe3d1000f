// Package plain is what one writes in plain Go: a goroutine for each connection, google.golang.org/protobuf, and one write for
// all replies to what one read brought. Messages are reused as far as proto.Unmarshal lets one: the envelope is, but
// what is inside it is allocated anew each time, and a string is a copy.
package plain

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"

	"github.com/understudy-go/understudy/bench/internal/burst"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// Serve serves l until it is closed.
func Serve(l net.Listener) error {
	return burst.Serve(l, func(nc net.Conn) { burst.Answer(nc, newHandler()) })
}

// handler answers the requests of one connection, and holds what it reuses.
type handler struct {
	request messages.ClientMessage
	reply   messages.ServerMessage

	echo  messages.ServerMessage_EchoMessage
	sum   messages.ServerMessage_AddResponse
	total messages.AddResponse
}

func newHandler() *handler {
	h := &handler{}
	h.sum.AddResponse = &h.total
	return h
}

// Append implements burst.Handler.
func (h *handler) Append(out, request []byte) []byte {
	if err := proto.Unmarshal(request, &h.request); err != nil {
		return h.fail(out, messages.InvalidArgument, "the request does not decode")
	}
	switch m := h.request.Message.(type) {
	case *messages.ClientMessage_EchoMessage:
		h.echo.EchoMessage = m.EchoMessage
		h.reply.Message = &h.echo
	case *messages.ClientMessage_AddRequest:
		a, b := m.AddRequest.GetA(), m.AddRequest.GetB()
		sum := int64(a) + int64(b)
		if sum < math.MinInt32 || sum > math.MaxInt32 {
			return h.fail(out, messages.OutOfRange, fmt.Sprintf("%d + %d does not fit into 32 bits", a, b))
		}
		h.total.Result = int32(sum)
		h.reply.Message = &h.sum
	default:
		if len(request) == 0 {
			return h.fail(out, messages.InvalidArgument, "the request is empty")
		}
		return h.fail(out, messages.Unimplemented, "the request is of no known kind")
	}
	return h.append(out)
}

// Refuse implements burst.Handler.
func (h *handler) Refuse(out []byte, err error) []byte {
	code := messages.InvalidArgument
	if errors.Is(err, burst.ErrTooLarge) {
		code = messages.ResourceExhausted
	}
	return h.fail(out, code, err.Error())
}

func (h *handler) fail(out []byte, code messages.Code, text string) []byte {
	h.reply.Message = &messages.ServerMessage_Error{Error: &messages.Error{Code: int32(code), Message: text}}
	return h.append(out)
}

// append appends the reply. The size that the header needs is used again by MarshalAppend: nothing changes between the two.
func (h *handler) append(out []byte) []byte {
	out = binary.AppendUvarint(out, uint64(proto.Size(&h.reply)))
	out, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(out, &h.reply)
	if err != nil {
		panic(err) // only invalid UTF-8 would do that, and Unmarshal has refused it
	}
	return out
}
