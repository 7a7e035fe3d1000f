package client_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
)

func Example() {
	ctx := context.Background()
	c, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](ctx, "tcp://127.0.0.1:7070", client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	sum, err := client.Call[messages.AddResponse](ctx, c, &messages.AddRequest{A: 2, B: 40})
	if errors.Is(err, messages.OutOfRange) {
		fmt.Println("the sum is no int32")
	}
	fmt.Println(sum.GetResult(), err)
}
