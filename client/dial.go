package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy/transport"
)

// DialError says that a server could not be reached. Its text fits one line. [errors.As] finds it in the error of [Dial], and in
// that of a call for which no connection could be made.
type DialError struct {
	URL string // the server's, as it was given to Dial
	Err error  // what the network or Options.Dial said, or the context; never nil
}

// Error returns "cannot reach URL: " and the cause, without the address, which the URL has.
func (e *DialError) Error() string {
	cause := e.Err
	if op, ok := errors.AsType[*net.OpError](cause); ok {
		cause = op.Err
	}
	return "cannot reach " + e.URL + ": " + strings.ReplaceAll(cause.Error(), "\n", "; ")
}

// Unwrap returns Err, for [errors.Is].
func (e *DialError) Unwrap() error { return e.Err }

// dial makes a Client and its first connection.
func dial(ctx context.Context, url string, request, reply proto.Message, o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	at, err := transport.ParseURL(url)
	if err != nil {
		return nil, err
	}
	w, err := newWire(request, reply, at.Framing, &o)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	c := &Client{url: url, at: at, o: o, wire: w, budget: budget{tokens: budgetTokens}, still: make(chan struct{})}
	raw, err := c.dialOne(ctx)
	if err != nil {
		return nil, err
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.adopt(raw)
	return c, nil
}

// dialOne makes a connection. The error is a *DialError.
func (c *Client) dialOne(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.DialTimeout)
	defer cancel()
	raw, err := c.o.Dial(ctx, c.at.Network, c.at.Address)
	if err == nil && raw == nil {
		err = errors.New("Options.Dial returned no connection")
	}
	if err != nil {
		c.dialsFailed.Add(1)
		return nil, &DialError{URL: c.url, Err: err}
	}
	c.dials.Add(1)
	return raw, nil
}
