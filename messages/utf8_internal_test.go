package messages

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestValidUTF8 puts each kind of sequence at each place of texts of every length that the steps of validUTF8 tell apart.
func TestValidUTF8(t *testing.T) {
	for size := range 50 {
		for at := range size + 1 {
			for _, piece := range []string{"", "\x80", "\xff", "é", "\xc3", "€", "\xe2\x82", "😀", "\xf0\x9f\x98", "\xed\xa0\x80"} {
				text := slices.Insert([]byte(strings.Repeat("x", size)), at, []byte(piece)...)
				if got, want := validUTF8(text), utf8.Valid(text); got != want {
					t.Errorf("%q: %v, want %v", text, got, want)
				}
			}
		}
	}
}
