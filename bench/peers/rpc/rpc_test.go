package rpc_test

import (
	"net"
	"sync"
	"testing"

	"github.com/understudy-go/understudy/bench/peers/rpc"
	"github.com/understudy-go/understudy/bench/peers/rpc/echo"
	"github.com/understudy-go/understudy/messages"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// The server has no orderly end: it is ended with its process, and its workers for calls outlive the listener.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("google.golang.org/grpc.(*Server).serverWorker"))
}

func TestServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		if err := rpc.Serve(l); err != nil {
			t.Error(err)
		}
	})
	defer served.Wait()
	defer l.Close()
	conn, err := grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := echo.NewEchoAddClient(conn)

	said := &messages.EchoMessage{Content: "hello"}
	for _, c := range []struct {
		in   *messages.ClientMessage
		want *messages.ServerMessage
		code codes.Code
	}{
		{&messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{EchoMessage: said}}, &messages.ServerMessage{Message: &messages.ServerMessage_EchoMessage{EchoMessage: said}}, codes.OK},
		{add(40, 2), &messages.ServerMessage{Message: &messages.ServerMessage_AddResponse{AddResponse: &messages.AddResponse{Result: 42}}}, codes.OK},
		{add(-1<<31, -1), nil, codes.OutOfRange},
		{&messages.ClientMessage{}, nil, codes.InvalidArgument},
	} {
		got, err := client.Call(t.Context(), c.in)
		if status.Code(err) != c.code || (err == nil && !proto.Equal(got, c.want)) {
			t.Errorf("Call(%v) returns %v (%v), want %v", c.in, got, err, c.want)
		}
		stream, err := client.Stream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(c.in); err != nil {
			t.Fatal(err)
		}
		got, err = stream.Recv()
		if status.Code(err) != c.code || (err == nil && !proto.Equal(got, c.want)) {
			t.Errorf("Stream: %v is answered %v (%v), want %v", c.in, got, err, c.want)
		}
		if err := stream.CloseSend(); err != nil {
			t.Error(err)
		}
		_, _ = stream.Recv() // its end
	}
}

func add(a, b int32) *messages.ClientMessage {
	return &messages.ClientMessage{Message: &messages.ClientMessage_AddRequest{AddRequest: &messages.AddRequest{A: a, B: b}}}
}
