package load

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// Mix is what share of the requests is what, and how large echoes are. Without any weight all are echoes.
type Mix struct {
	Echo, Add int   // weights
	Size      Sizes // of an echo's content
}

// Sizes are a range of bytes, both ends in it.
type Sizes struct{ Least, Most int }

// maxWeight and maxSize bound what a Mix may say.
const (
	maxWeight = 1_000_000
	maxSize   = 64 << 20
)

// pick tells whether the next request is an echo.
func (m Mix) pick(rng *rand.Rand) bool {
	all := m.Echo + m.Add
	return all == 0 || rng.IntN(all) < m.Echo
}

func (s Sizes) pick(rng *rand.Rand) int { return s.Least + rng.IntN(s.Most-s.Least+1) }

// UnmarshalText reads "echo=9,add=1". It leaves Size alone.
func (m *Mix) UnmarshalText(text []byte) error {
	read := Mix{Size: m.Size}
	for part := range strings.SplitSeq(string(text), ",") {
		name, weight, _ := strings.Cut(part, "=")
		n, err := strconv.Atoi(weight)
		if err != nil || n < 0 || n > maxWeight {
			return fmt.Errorf("%q is no part of a mix: write echo=9,add=1, with weights from 0 to %d", part, maxWeight)
		}
		switch name {
		case "echo":
			read.Echo = n
		case "add":
			read.Add = n
		default:
			return fmt.Errorf("%q is no part of a mix: there are echo and add", part)
		}
	}
	if read.Echo+read.Add == 0 {
		return fmt.Errorf("the mix %q has no request in it", text)
	}
	*m = read
	return nil
}

// String returns the weights as UnmarshalText reads them.
func (m Mix) String() string {
	switch {
	case m.Add == 0:
		return "echo=" + strconv.Itoa(max(m.Echo, 1))
	case m.Echo == 0:
		return "add=" + strconv.Itoa(m.Add)
	}
	return fmt.Sprintf("echo=%d,add=%d", m.Echo, m.Add)
}

// UnmarshalText reads "32", "16KiB" or a range, "16-1024".
func (s *Sizes) UnmarshalText(text []byte) error {
	from, to, ranged := strings.Cut(string(text), "-")
	if !ranged {
		to = from
	}
	least, err1 := humanize.ParseBytes(from)
	most, err2 := humanize.ParseBytes(to)
	if err1 != nil || err2 != nil || least > most || most > maxSize {
		return fmt.Errorf("%q is no size: write 32, 16KiB or a range as 16-1024, at most %s", text, humanize.IBytes(maxSize))
	}
	*s = Sizes{int(least), int(most)}
	return nil
}

// String returns the sizes as UnmarshalText reads them.
func (s Sizes) String() string {
	if s.Least == s.Most {
		return strconv.Itoa(s.Least)
	}
	return strconv.Itoa(s.Least) + "-" + strconv.Itoa(s.Most)
}
