package transport

import (
	"fmt"
	"strings"

	"github.com/understudy-go/understudy/messages"
)

// Framing cuts a stream of bytes into messages. A Framing has no state: any goroutine may use it.
type Framing interface {
	// Name is the framing's name in a URL, such as "delimited".
	Name() string

	// Next looks at the start of buf for one frame whose payload is at most max bytes (max is 0 to 2 GiB).
	//
	// If a whole frame is there, n > 0 is how many bytes of buf it occupies, header included, and payload is its
	// message: the last len(payload) of those n bytes, not copied, possibly empty.
	// If more bytes are needed, n and err are zero, and need is how many bytes buf must hold, in all, before another
	// try can succeed: at least len(buf)+1.
	// err is a *messages.Status and means that the stream cannot be cut any further: ResourceExhausted for a payload
	// over max, said as soon as its length is known; InvalidArgument for a header that is none.
	Next(buf []byte, max int) (payload []byte, n, need int, err error)

	// AppendHeader appends the header of a payload of size bytes to dst.
	AppendHeader(dst []byte, size int) []byte
}

// The framings. They can be compared with ==.
var (
	// Delimited is a varint length and then the message, as in protobuf's own delimited streams. It is the default.
	Delimited Framing = delimited{}
	// Length32 is a length of 4 bytes, big-endian, and then the message.
	Length32 Framing = length32{}
	// Unframed is bare messages, one after the other: each top-level field is a frame.
	Unframed Framing = unframed{}
)

var framings = []Framing{Delimited, Length32, Unframed}

// Framings returns the names of the framings, the default first.
func Framings() []string {
	names := make([]string, len(framings))
	for i, f := range framings {
		names[i] = f.Name()
	}
	return names
}

// FramingByName returns the framing of that name, or an error that names it and the ones there are.
func FramingByName(name string) (Framing, error) {
	for _, f := range framings {
		if f.Name() == name {
			return f, nil
		}
	}
	return nil, fmt.Errorf("unknown framing %q (allowed: %s)", name, strings.Join(Framings(), ", "))
}

// maxVarint is how many bytes a varint of 64 bits can take.
const maxVarint = 10

// uvarint decodes the varint at the start of buf, which is n bytes long. n is 0 if more bytes are needed, and -1 if it
// is longer than 10 bytes or over 64 bits. As in google.golang.org/protobuf, it need not be the shortest encoding.
func uvarint(buf []byte) (v uint64, n int) {
	for i, b := range buf {
		if i == maxVarint-1 && b > 1 {
			return 0, -1
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

func tooLarge(size uint64, max int) error {
	return &messages.Status{
		Code:    messages.ResourceExhausted,
		Op:      "frame",
		Message: fmt.Sprintf("a frame of %d bytes is over the limit of %d bytes", size, max),
	}
}

func malformed(what string) error {
	return &messages.Status{Code: messages.InvalidArgument, Op: "frame", Message: what}
}
