package client

import (
	"context"

	"github.com/understudy-go/understudy/messages"
)

// Echo asks the server for text, which must be valid UTF-8, and returns what came back. Its errors are [Client.Call]'s, and
// Internal if the reply is of another kind.
func (c *Client) Echo(ctx context.Context, text string) (string, error) {
	reply, err := c.Call(ctx, &messages.ClientMessage{
		Message: &messages.ClientMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: text}},
	})
	if err != nil {
		return "", err
	}
	if echo, ok := reply.GetMessage().(*messages.ServerMessage_EchoMessage); ok {
		return echo.EchoMessage.GetContent(), nil
	}
	return "", wrongKind("echo")
}

// Add asks the server for a + b. Its errors are [Client.Call]'s — OutOfRange for a sum that is no int32 — and Internal if the
// reply is of another kind.
func (c *Client) Add(ctx context.Context, a, b int32) (int32, error) {
	reply, err := c.Call(ctx, &messages.ClientMessage{
		Message: &messages.ClientMessage_AddRequest{AddRequest: &messages.AddRequest{A: a, B: b}},
	})
	if err != nil {
		return 0, err
	}
	if sum, ok := reply.GetMessage().(*messages.ServerMessage_AddResponse); ok {
		return sum.AddResponse.GetResult(), nil
	}
	return 0, wrongKind("add")
}

func wrongKind(op string) error {
	return &messages.Status{Code: messages.Internal, Op: op, Message: "the reply is of another kind than the request"}
}
