package transport

import "fmt"

// unframed is a bare stream of protobuf messages with one top-level field each. A field says by itself where it ends
// (https://protobuf.dev/programming-guides/encoding/), so each one, tag and value, is a frame. The limit of a frame
// applies to tag and value together. Groups are refused: where one ends is not known before it has been read.
type unframed struct{}

// The wire types, https://protobuf.dev/programming-guides/encoding/#structure.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

const maxFieldNumber = 1<<29 - 1

func (unframed) Name() string { return "unframed" }

func (unframed) Next(buf []byte, max int) (payload []byte, n, need int, err error) {
	tag, head := uvarint(buf)
	switch {
	case head == 0:
		return nil, 0, len(buf) + 1, nil
	case head < 0:
		return nil, 0, 0, malformed("the tag of a field is no varint of 64 bits")
	case tag>>3 == 0 || tag>>3 > maxFieldNumber:
		return nil, 0, 0, malformed(fmt.Sprintf("the field number %d is not between 1 and %d", tag>>3, maxFieldNumber))
	}
	var size uint64 // of what follows head
	switch tag & 7 {
	case wireFixed64:
		size = 8
	case wireFixed32:
		size = 4
	case wireVarint:
		_, width := uvarint(buf[head:])
		if width == 0 {
			return nil, 0, len(buf) + 1, nil
		}
		if width < 0 {
			return nil, 0, 0, malformed("the value of a field is no varint of 64 bits")
		}
		size = uint64(width)
	case wireBytes:
		length, width := uvarint(buf[head:])
		if width == 0 {
			return nil, 0, len(buf) + 1, nil
		}
		if width < 0 {
			return nil, 0, 0, malformed("the length of a field is no varint of 64 bits")
		}
		head, size = head+width, length
	default:
		return nil, 0, 0, malformed(fmt.Sprintf("a top-level field has the wire type %d", tag&7))
	}
	// head is at most 20 here, so that neither subtraction nor sum can overflow.
	if head > max || size > uint64(max-head) {
		return nil, 0, 0, tooLarge(saturated(size, uint64(head)), max)
	}
	end := head + int(size)
	if len(buf) < end {
		return nil, 0, end, nil
	}
	return buf[:end:end], end, 0, nil
}

// saturated returns a+b, or the largest number if that is more.
func saturated(a, b uint64) uint64 {
	if a+b < a {
		return ^uint64(0)
	}
	return a + b
}

// AppendHeader appends nothing: the payload carries its own tag.
func (unframed) AppendHeader(dst []byte, _ int) []byte { return dst }
