package client

import (
	"errors"
	"io"
	"math"
	"net"
	"time"

	"github.com/understudy-go/understudy/messages"
)

// gaveUp returns the error of a call whose context ended with err.
func gaveUp(err error, notStarted bool) *messages.Status {
	s := *messages.StatusOf(err)
	s.Op, s.NotStarted = "call", notStarted
	return &s
}

// refused returns the error of a call that cannot be sent.
func refused(code messages.Code, message string, cause error) *messages.Status {
	return &messages.Status{Code: code, Op: "call", Message: message, Cause: cause, NotStarted: true}
}

// unavailable returns the error of a call that the end of its connection, which was cause, left without a reply.
func (c *Client) unavailable(cause error, notStarted bool) *messages.Status {
	message := "the connection to " + c.url + " broke"
	switch {
	case errors.Is(cause, net.ErrClosed):
		message = "the connection to " + c.url + " was closed on this side"
	case errors.Is(cause, io.EOF):
		message = "the server closed the connection to " + c.url
	}
	return &messages.Status{
		Code: messages.Unavailable, Op: "call", Message: message, Cause: cause, NotStarted: notStarted, RetryAfter: advised(cause),
	}
}

// advised returns how long the server said to wait, if the cause is something that it said.
func advised(cause error) time.Duration {
	if s, ok := errors.AsType[*messages.Status](cause); ok {
		return min(s.RetryAfter, math.MaxInt64/2) // so that a backoff can be added
	}
	return 0
}

// closed returns the error of a call to a client that is closed.
func (c *Client) closed() *messages.Status { return c.unavailable(net.ErrClosed, true) }

// misread returns the error of a call whose reply cannot be used.
func misread(message string, cause error) *messages.Status {
	return &messages.Status{Code: messages.Internal, Op: "call", Message: message, Cause: cause}
}
