package client

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/understudy-go/understudy/messages"
)

// gaveUp returns the error of a call whose context ended with err.
func gaveUp(err error, notStarted bool) error {
	s := messages.StatusOf(err)
	s.Op, s.NotStarted = "call", notStarted
	return s
}

// unavailable returns the error of a call that the end of the connection left without a reply.
func (c *Client) unavailable(notStarted bool) error {
	c.mu.Lock()
	cause := c.err
	c.mu.Unlock()
	message := "the connection to " + c.url + " broke"
	switch {
	case errors.Is(cause, net.ErrClosed):
		message = "the connection to " + c.url + " was closed on this side"
	case errors.Is(cause, io.EOF):
		message = "the server closed the connection to " + c.url
	}
	return &messages.Status{Code: messages.Unavailable, Op: "call", Message: message, Cause: cause, NotStarted: notStarted}
}

func tooLarge(size, limit int) string {
	return fmt.Sprintf("the request has %d bytes, and the limit is %d bytes", size, limit)
}
