package main

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

// size is a number of bytes, written as 4MiB, 64KiB, 1MB or 65536.
type size int

// UnmarshalText reads a size.
func (s *size) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n > 1<<30 || n == 0 {
		return fmt.Errorf("%q is no size: write 64KiB, 4MiB or a number of bytes, at most 1GiB", text)
	}
	*s = size(n)
	return nil
}
