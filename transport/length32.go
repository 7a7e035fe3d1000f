package transport

import "encoding/binary"

// length32 is a length of 4 bytes, big-endian, then the message.
type length32 struct{}

func (length32) Name() string { return "length32" }

func (length32) Next(buf []byte, max int) (payload []byte, n, need int, err error) {
	const header = 4
	if len(buf) < header {
		return nil, 0, header, nil
	}
	size := uint64(binary.BigEndian.Uint32(buf))
	if size > uint64(max) {
		return nil, 0, 0, tooLarge(size, max)
	}
	end := header + int(size)
	if len(buf) < end {
		return nil, 0, end, nil
	}
	return buf[header:end:end], end, 0, nil
}

func (length32) AppendHeader(dst []byte, size int) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(size))
}
