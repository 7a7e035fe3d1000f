package rpcload_test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-go/understudy/bench/internal/rpcload"
	"github.com/understudy-go/understudy/bench/peers/rpc/echo"
	"github.com/understudy-go/understudy/messages"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// liar answers streams with the contents of two requests exchanged.
type liar struct {
	echo.UnimplementedEchoAddServer
}

func (liar) Stream(stream echo.EchoAdd_StreamServer) error {
	for {
		first, err := stream.Recv()
		if err != nil {
			return err
		}
		second, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, m := range []*messages.ClientMessage{second, first} {
			out := &messages.ServerMessage{Message: &messages.ServerMessage_EchoMessage{EchoMessage: m.GetEchoMessage()}}
			if err := stream.Send(out); err != nil {
				return err
			}
		}
	}
}

// Right content in the wrong place is a wrong reply, and a call that fails is none; nor is there one that does not come.
func TestWrongReplies(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	echo.RegisterEchoAddServer(s, liar{})
	var served sync.WaitGroup
	served.Go(func() { _ = s.Serve(l) })
	defer served.Wait()
	defer s.Stop()
	for _, c := range []struct {
		streaming bool
		depth     int
		duration  time.Duration
		want      string
	}{
		{true, 4, 20 * time.Second, "wrong reply"}, // it ends before that, with the first wrong reply
		{false, 4, 20 * time.Second, "Unimplemented"},
		{true, 1, time.Millisecond, "without a reply"},
	} {
		err := rpcload.Run(t.Context(), rpcload.Config{
			Address: l.Addr().String(), Streaming: c.streaming, Connections: 2, Depth: c.depth, Size: 32, Duration: c.duration,
			Mark: func(int64) {},
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("streaming %t: the error is %v, want %q", c.streaming, err, c.want)
		}
	}
}

func TestTooSmall(t *testing.T) {
	if err := rpcload.Run(t.Context(), rpcload.Config{Size: 15}); err == nil || !strings.Contains(err.Error(), "Size is 15") {
		t.Errorf("the error is %v", err)
	}
}
