package transport

import "encoding/binary"

// delimited is what Java's writeDelimitedTo and Go's protodelim write: a varint length, then the message.
type delimited struct{}

func (delimited) Name() string { return "delimited" }

func (delimited) Next(buf []byte, max int) (payload []byte, n, need int, err error) {
	size, header := uvarint(buf)
	switch {
	case header == 0:
		return nil, 0, len(buf) + 1, nil
	case header < 0:
		return nil, 0, 0, malformed("the length of a frame is no varint of 64 bits")
	case size > uint64(max):
		return nil, 0, 0, tooLarge(size, max)
	}
	end := header + int(size)
	if len(buf) < end {
		return nil, 0, end, nil
	}
	return buf[header:end:end], end, 0, nil
}

// short is Next for a frame of up to 127 bytes that is there whole, or returns a length that is negative. It is so small that
// it costs no call.
func (delimited) short(buf []byte) (size int) {
	if size = int(buf[0]); size < 0x80 && size < len(buf) {
		return size
	}
	return -1
}

func (delimited) AppendHeader(dst []byte, size int) []byte {
	return binary.AppendUvarint(dst, uint64(size))
}
