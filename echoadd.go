package understudy

import (
	"context"
	"fmt"
	"math"

	"github.com/understudy-go/understudy/messages"
)

// EchoAdd returns the service that a server has if it is given no other: Echo answers with what it was sent, Add with the
// sum, or with OUT_OF_RANGE if an int32 cannot hold it. Its envelopes are those of package messages. Each call returns a new one,
// to which middleware and hooks may be added.
func EchoAdd() *Service[*messages.ClientMessage, *messages.ServerMessage] {
	s := NewService[*messages.ClientMessage, *messages.ServerMessage]()
	Handle(s, echo, Borrowing())
	Handle(s, add, Borrowing())
	return s
}

func echo(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) { return in, nil }

func add(_ context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
	sum := int64(in.GetA()) + int64(in.GetB())
	if sum < math.MinInt32 || sum > math.MaxInt32 {
		return nil, &messages.Status{
			Code: messages.OutOfRange, Op: "add", Message: fmt.Sprintf("%d + %d does not fit into 32 bits", in.GetA(), in.GetB()),
		}
	}
	reply := messages.AddResponseFromVTPool()
	reply.Result = int32(sum)
	return reply, nil
}
