package messages

import (
	"encoding/binary"
	"unicode/utf8"
)

const nonASCII = 0x8080808080808080

// validUTF8 is utf8.Valid, faster for what is mostly ASCII.
func validUTF8(b []byte) bool {
	rest := b
	for len(rest) >= 16 {
		if (binary.LittleEndian.Uint64(rest)|binary.LittleEndian.Uint64(rest[8:]))&nonASCII != 0 {
			return utf8.Valid(rest)
		}
		rest = rest[16:]
	}
	if len(rest) >= 8 {
		if binary.LittleEndian.Uint64(rest)&nonASCII != 0 {
			return utf8.Valid(rest)
		}
		rest = rest[8:]
	}
	var or byte
	for _, c := range rest {
		or |= c
	}
	return or < utf8.RuneSelf || utf8.Valid(rest)
}
