package foreign

import (
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"
)

// What vtprotobuf would generate for Text, as far as tests need it: it does not look whether a string is UTF-8. Number has no
// such code.

// SizeVT returns the encoded size.
func (x *Text) SizeVT() int {
	if x.GetValue() == "" {
		return 0
	}
	return 1 + protowire.SizeBytes(len(x.Value))
}

// MarshalToSizedBufferVT encodes to the end of b.
func (x *Text) MarshalToSizedBufferVT(b []byte) (int, error) {
	n := x.SizeVT()
	if n > 0 {
		protowire.AppendString(protowire.AppendTag(b[:len(b)-n], 1, protowire.BytesType), x.Value)
	}
	return n, nil
}

// Returned counts the texts that went back into the pool, which there is none of.
var Returned atomic.Int64

// ReturnToVTPool would put the message into its pool.
func (x *Text) ReturnToVTPool() { Returned.Add(1) }

// UnmarshalVT merges what b encodes.
func (x *Text) UnmarshalVT(b []byte) error {
	for len(b) > 0 {
		_, _, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		value, m := protowire.ConsumeBytes(b[n:])
		if m < 0 {
			return protowire.ParseError(m)
		}
		x.Value, b = string(value), b[n+m:]
	}
	return nil
}
