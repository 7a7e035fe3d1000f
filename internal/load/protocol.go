package load

import (
	"math/rand/v2"

	"github.com/understudy-go/understudy/messages"
)

// Protocol is what is said on a connection: requests that are answered in their order. Its methods may be called from
// any goroutine.
type Protocol interface {
	// Exchange appends one request and the reply to expect, as they are on the wire, framing included. No two exchanges
	// should have the same reply: one in another's place would pass. n counts them from 0. Both must be of one byte at least.
	Exchange(n int, rng *rand.Rand, request, reply []byte) (req, rep []byte)
	// Cut returns how many bytes the first reply in buf occupies, 0 if not all of it is there.
	Cut(buf []byte) (n int, err error)
	// Judge says what a whole reply is that is not the expected one byte by byte.
	Judge(got, want []byte) (Verdict, messages.Code)
}

// Verdict says what a reply is.
type Verdict int

const (
	// Wrong is a reply with another content than the expected one.
	Wrong Verdict = iota
	// Right is the expected reply in another encoding.
	Right
	// Failed is a reply that says that the request failed, with a code.
	Failed
)
