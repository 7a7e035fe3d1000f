package client

import (
	"context"
	"fmt"
	"math"
	"net"
	"time"
)

// The defaults: what a zero field of [Options] means. Those that are not here are off.
const (
	DefaultConnections = 1                     // Options.Connections, to one server
	DefaultInFlight    = 1024                  // Options.InFlight, in requests of a connection
	DefaultRetries     = 3                     // Options.Retries, in tries after a call's first
	DefaultBackoff     = 50 * time.Millisecond // Options.Backoff, the ceiling of the first wait
	DefaultMaxBackoff  = 2 * time.Second       // Options.MaxBackoff, the ceiling of every wait; Backoff, if that is longer
	DefaultPushQueue   = 64                    // Options.PushQueue, in messages of a connection
	DefaultPushStall   = 10 * time.Second      // Options.PushStall, of one message
	DefaultDialTimeout = 5 * time.Second       // Options.DialTimeout, of one try to connect
	DefaultMaxFrame    = 4 << 20               // Options.MaxFrame, in bytes of a message: 4 MiB
)

// The largest values of Options.
const (
	maxConnections = 1024
	maxInFlight    = 1 << 16
	maxPushQueue   = 1 << 16
)

// Options adjusts a [Client]. The zero value works, and every zero field means its default. [Dial] keeps a copy, and names a
// field that is out of its bounds; none but Retries may be negative.
type Options struct {
	// Connections is how many connections there are at most, up to 1024; 0 is 1. What a server remembers of a connection it
	// remembers of one of them: a client that joins something by a call, and is then pushed to, should have one.
	Connections int

	// InFlight is how many requests of one connection may wait for their replies, up to 65536; 0 is 1024. When every
	// connection is full, a call waits for a place. A request whose call was given up keeps its place until its reply comes.
	InFlight int

	// Retries is how often a call is tried again, at most; 0 is 3, and below 0 is never. See the package's comment.
	Retries int

	// Backoff and MaxBackoff bound how long is waited before a call is tried again, and before the next connection after a
	// failure to connect: at random between half of a ceiling and the whole, where the ceiling is Backoff at first and
	// doubles with each failure up to MaxBackoff. 0 is 50 ms and 2 s. A connection on which nothing was ever received counts
	// as a failure to connect.
	Backoff, MaxBackoff time.Duration

	// RequestID is the name of the integer field, outside the oneof, in which both envelopes carry the id of a request. Each
	// request then gets an id that no other one in flight on its connection has, and replies may come in any order. It cannot
	// be had unframed. Empty: there are no ids, and replies come in the order of the requests.
	RequestID string

	// Pushes says who gets messages that nobody asked for, each those of one arm. See [OnPush]. None: whatever comes is a reply,
	// or, with request ids, dropped.
	Pushes []Push

	// PushQueue is how many pushes of one connection may wait for their handlers, up to 65536; 0 is 64. When there are more,
	// the connection is not read any further, and TCP holds the server back.
	PushQueue int

	// PushStall is how long a full PushQueue may keep a connection from being read; then the connection is closed, and what
	// waits for replies there fails with Unavailable. 0 is 10 s.
	PushStall time.Duration

	// OnConnect is called for each connection that has been made, on the goroutine that calls the handlers of its pushes, and
	// before them. It is where to join again what the server remembers for a connection. With Connections at 1 its calls go to
	// the new connection. The context ends with the Client. It may block: replies are read meanwhile, and pushes wait as while a
	// handler runs. A Client that has one connects again by itself when its last connection breaks. nil is none.
	OnConnect func(ctx context.Context, c *Client)

	// Silence is how long a connection may send nothing while replies are due, before it is given up as dead and what waits
	// there fails with Unavailable. It should be longer than the longest that the server takes for a request. 0 is for ever: until
	// the system gives up, which after a cut cable or behind a firewall that forgets can take a quarter of an hour.
	Silence time.Duration

	// Dial makes a connection; nil is a net.Dialer's DialContext. It must obey its context, which ends after DialTimeout and
	// when the Client is closed. TLS is the DialContext of a tls.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// DialTimeout bounds the making of one connection, beside Dial's context; 0 is 5 s.
	DialTimeout time.Duration

	// MaxFrame is the largest message in bytes, without the framing's header, that is sent or taken, up to 2 GiB; 0 is 4 MiB.
	// A request over it is refused before it is sent; a reply over it ends the connection.
	MaxFrame int
}

// withDefaults returns o with its zeros replaced, or an error that names the field, the value and the bound.
func (o Options) withDefaults() (Options, error) {
	for _, n := range []struct {
		name    string
		value   *int
		max     int
		instead int
	}{
		{"Connections", &o.Connections, maxConnections, DefaultConnections},
		{"InFlight", &o.InFlight, maxInFlight, DefaultInFlight},
		{"PushQueue", &o.PushQueue, maxPushQueue, DefaultPushQueue},
		{"MaxFrame", &o.MaxFrame, math.MaxInt32, DefaultMaxFrame},
	} {
		if *n.value < 0 || *n.value > n.max {
			return o, fmt.Errorf("client: %s is %d, and must be from 0 to %d", n.name, *n.value, n.max)
		}
		if *n.value == 0 {
			*n.value = n.instead
		}
	}
	for _, d := range []struct {
		name    string
		value   *time.Duration
		instead time.Duration
	}{
		{"DialTimeout", &o.DialTimeout, DefaultDialTimeout},
		{"Backoff", &o.Backoff, DefaultBackoff},
		{"MaxBackoff", &o.MaxBackoff, max(DefaultMaxBackoff, o.Backoff)},
		{"PushStall", &o.PushStall, DefaultPushStall},
		{"Silence", &o.Silence, 0},
	} {
		if *d.value < 0 {
			return o, fmt.Errorf("client: %s is %v, and must not be below 0", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.instead
		}
	}
	if o.MaxBackoff < o.Backoff {
		return o, fmt.Errorf("client: MaxBackoff is %v, and must not be below Backoff, %v", o.MaxBackoff, o.Backoff)
	}
	if o.Retries == 0 {
		o.Retries = DefaultRetries
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	return o, nil
}

// attended says whether there is somebody who is to hear from connections unasked.
func (o *Options) attended() bool { return len(o.Pushes) > 0 || o.OnConnect != nil }
