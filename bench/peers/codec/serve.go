// Package codec is plain Go with Understudy's own codec: the same goroutine for each connection, the same reads and writes as
// package plain, but messages that are decoded and encoded without reflection, used again, and borrow their bytes from the
// read buffer. What the server needs beyond this is what its actors, guards, deadlines and counters cost.
package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"

	"github.com/understudy-go/understudy/bench/internal/burst"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// The arms of the envelopes; the tags of the reply's are one byte each.
const (
	echoArm, addArm = 1, 2

	echoTag  = echoArm<<3 | byte(protowire.BytesType)
	addTag   = addArm<<3 | byte(protowire.BytesType)
	errorTag = 3<<3 | byte(protowire.BytesType)
)

// Serve serves l until it is closed.
func Serve(l net.Listener) error {
	requests, err := messages.NewEnvelope((*messages.ClientMessage)(nil))
	if err != nil {
		return err
	}
	return burst.Serve(l, func(nc net.Conn) { burst.Answer(nc, newHandler(requests)) })
}

// handler answers the requests of one connection, and holds what it reuses.
type handler struct {
	requests *messages.Envelope
	echo     messages.EchoMessage
	add      messages.AddRequest
	sum      messages.AddResponse

	resetEcho func() // which does less than the Reset of generated code
}

func newHandler(requests *messages.Envelope) *handler {
	h := &handler{requests: requests}
	h.resetEcho = messages.Resetter(&h.echo)
	return h
}

// Append implements burst.Handler.
func (h *handler) Append(out, request []byte) []byte {
	arm, inner := h.requests.Open(request)
	if arm == nil {
		return h.unusual(out, request)
	}
	switch arm.Number {
	case echoArm:
		h.resetEcho()
		if err := h.echo.UnmarshalVTUnsafe(inner); err != nil {
			return fail(out, undecodable)
		}
		return appendReply(out, echoTag, &h.echo)
	case addArm:
		h.add.Reset()
		if err := h.add.UnmarshalVT(inner); err != nil {
			return fail(out, undecodable)
		}
		return h.answerAdd(out, &h.add)
	}
	return fail(out, unknown)
}

var (
	undecodable = &messages.Status{Code: messages.InvalidArgument, Message: "the request does not decode"}
	unknown     = &messages.Status{Code: messages.Unimplemented, Message: "the request is of no known kind"}
)

// unusual answers a request that is not one known arm and nothing else, as the server does: by the full decoder.
func (h *handler) unusual(out, request []byte) []byte {
	_, m, err := h.requests.Decode(request)
	if s, ok := errors.AsType[*messages.Status](err); ok {
		return fail(out, s)
	}
	switch m := m.(type) {
	case *messages.EchoMessage:
		return appendReply(out, echoTag, m)
	case *messages.AddRequest:
		return h.answerAdd(out, m)
	}
	return fail(out, unknown)
}

func (h *handler) answerAdd(out []byte, m *messages.AddRequest) []byte {
	sum := int64(m.GetA()) + int64(m.GetB())
	if sum < math.MinInt32 || sum > math.MaxInt32 {
		return fail(out, &messages.Status{Code: messages.OutOfRange, Message: fmt.Sprintf("%d + %d does not fit into 32 bits", m.GetA(), m.GetB())})
	}
	h.sum.Result = int32(sum)
	return appendReply(out, addTag, &h.sum)
}

// Refuse implements burst.Handler.
func (h *handler) Refuse(out []byte, err error) []byte {
	code := messages.InvalidArgument
	if errors.Is(err, burst.ErrTooLarge) {
		code = messages.ResourceExhausted
	}
	return fail(out, &messages.Status{Code: code, Message: err.Error()})
}

func fail(out []byte, s *messages.Status) []byte { return appendReply(out, errorTag, s.Proto()) }

// appendReply appends the frame of a reply: the frame's length, the arm's tag and length, the message. It is generic so that
// each kind of message is called directly.
func appendReply[M interface {
	proto.Message
	SizeVT() int
	MarshalToSizedBufferVT([]byte) (int, error)
}](out []byte, tag byte, m M) []byte {
	size := m.SizeVT()
	out = binary.AppendUvarint(out, uint64(1+protowire.SizeVarint(uint64(size))+size))
	out = binary.AppendUvarint(append(out, tag), uint64(size))
	start := len(out)
	if cap(out)-start < size {
		out = append(out, make([]byte, size)...)
	} else {
		out = out[:start+size]
	}
	if _, err := m.MarshalToSizedBufferVT(out[start:]); err != nil {
		panic(err) // only invalid UTF-8 would do that, and decoding has refused it
	}
	return out
}
