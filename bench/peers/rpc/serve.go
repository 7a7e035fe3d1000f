// Package rpc is the same work as a gRPC-go service: a unary call a request, or one stream a connection.
//
// Its options are those that its documentation recommends for speed: goroutines that are used again for calls
// (NumStreamWorkers), larger buffers around the socket, and flow control windows of a fixed size, which saves the pings that
// measure the bandwidth.
package rpc

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"runtime"

	"github.com/understudy-go/understudy/bench/peers/rpc/echo"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// Buffer is how many bytes are read and written at once, as in the server; both ends use it.
	Buffer = 64 << 10
	// Window is how many bytes of a stream, and of a connection, may be under way; both ends use it.
	Window = 8 << 20
)

// Serve serves l until it is closed.
func Serve(l net.Listener) error {
	s := grpc.NewServer(
		grpc.NumStreamWorkers(uint32(4*runtime.GOMAXPROCS(0))),
		grpc.ReadBufferSize(Buffer),
		grpc.WriteBufferSize(Buffer),
		grpc.InitialWindowSize(Window),
		grpc.InitialConnWindowSize(Window),
	)
	echo.RegisterEchoAddServer(s, service{})
	err := s.Serve(l)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

type service struct {
	echo.UnimplementedEchoAddServer
}

// Call implements the unary call.
func (service) Call(_ context.Context, in *messages.ClientMessage) (*messages.ServerMessage, error) {
	return answer(in)
}

// Stream implements the stream: the replies in the order of the requests. gRPC writes what several Sends have queued at once.
func (service) Stream(stream echo.EchoAdd_StreamServer) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		out, err := answer(in)
		if err != nil {
			return err
		}
		if err := stream.Send(out); err != nil {
			return err
		}
	}
}

func answer(in *messages.ClientMessage) (*messages.ServerMessage, error) {
	switch m := in.Message.(type) {
	case *messages.ClientMessage_EchoMessage:
		return &messages.ServerMessage{Message: &messages.ServerMessage_EchoMessage{EchoMessage: m.EchoMessage}}, nil
	case *messages.ClientMessage_AddRequest:
		a, b := m.AddRequest.GetA(), m.AddRequest.GetB()
		sum := int64(a) + int64(b)
		if sum < math.MinInt32 || sum > math.MaxInt32 {
			return nil, status.Errorf(codes.OutOfRange, "%d + %d does not fit into 32 bits", a, b)
		}
		return &messages.ServerMessage{Message: &messages.ServerMessage_AddResponse{AddResponse: &messages.AddResponse{Result: int32(sum)}}}, nil
	}
	return nil, status.Error(codes.InvalidArgument, "the request is empty, or of no known kind")
}
