package client

import (
	"fmt"
	"math"
	"time"
)

// The defaults of [Options].
const (
	DefaultDialTimeout = 5 * time.Second
	DefaultMaxFrame    = 4 << 20
)

// MaxInFlight is how many requests of one connection may wait for their replies. Another one waits for a place first.
const MaxInFlight = 1024

// Options adjusts a [Client]. The zero value works.
type Options struct {
	// DialTimeout bounds the connecting, beside the context's deadline; 0 is 5 s.
	DialTimeout time.Duration

	// MaxFrame is the largest message in bytes, without the framing's header, that is sent or taken, up to 2 GiB; 0 is 4 MiB.
	// A request over it is refused before it is sent; a reply over it ends the connection.
	MaxFrame int
}

// withDefaults returns o with its zeros replaced, or an error that names the field, the value and the bound.
func (o Options) withDefaults() (Options, error) {
	if o.DialTimeout < 0 {
		return o, fmt.Errorf("client: DialTimeout is %v, and must not be below 0", o.DialTimeout)
	}
	if o.MaxFrame < 0 || o.MaxFrame > math.MaxInt32 {
		return o, fmt.Errorf("client: MaxFrame is %d, and must be from 0 to %d", o.MaxFrame, math.MaxInt32)
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = DefaultDialTimeout
	}
	if o.MaxFrame == 0 {
		o.MaxFrame = DefaultMaxFrame
	}
	return o, nil
}
