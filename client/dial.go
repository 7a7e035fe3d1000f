package client

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/understudy-go/understudy/transport"
)

// DialError says that a server could not be reached. It fits one line.
type DialError struct {
	URL string // as it was given to Dial
	Err error  // what the network said, or the context
}

// Error returns "cannot reach URL: " and the cause, without the address, which the URL has.
func (e *DialError) Error() string {
	cause := e.Err
	if op, ok := errors.AsType[*net.OpError](cause); ok {
		cause = op.Err
	}
	return "cannot reach " + e.URL + ": " + strings.ReplaceAll(cause.Error(), "\n", "; ")
}

// Unwrap returns the cause.
func (e *DialError) Unwrap() error { return e.Err }

// Dial connects to a server's URL, as [transport.ParseURL] reads it. The context bounds the connecting only, not the life of
// the Client. The error is a *[DialError] if the server could not be reached; a URL or an option that is wrong is another.
func Dial(ctx context.Context, url string, o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	u, err := transport.ParseURL(url)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: o.DialTimeout}
	conn, err := dialer.DialContext(ctx, u.Network, u.Address)
	if err != nil {
		return nil, &DialError{URL: url, Err: err}
	}
	return start(conn, url, u.Framing, o.MaxFrame), nil
}
