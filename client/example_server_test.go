package client_test

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy"
	pb "github.com/understudy-go/understudy/client/internal/wire"
)

// The servers that the examples call.

// exampleServer serves a service until stop is called.
func exampleServer[Req, Resp proto.Message](service *understudy.Service[Req, Resp]) (url string, stop func()) {
	server, err := understudy.New(understudy.Config{Service: service, Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		panic(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background()) }()
	<-server.Ready()
	return server.URLs()[0], func() {
		_, _ = server.Shutdown(context.Background())
		<-served
	}
}

// askService answers a question in capitals, and says who asked. A question that starts with "tell" is pushed before it is
// answered.
func askService() *understudy.Service[*pb.Request, *pb.Reply] {
	s := understudy.NewService[*pb.Request, *pb.Reply]()
	understudy.Handle(s, func(ctx context.Context, in *pb.Ask) (*pb.Answer, error) {
		if strings.HasPrefix(in.GetText(), "tell") {
			if err := understudy.SessionOf(ctx).Push(ctx, &pb.Note{Text: in.GetText()}); err != nil {
				return nil, err
			}
		}
		text := strings.ToUpper(in.GetText())
		if request, ok := understudy.EnvelopeOf[*pb.Request](ctx); ok && request.GetTenant() != "" {
			text += " for " + request.GetTenant()
		}
		return &pb.Answer{Text: text}, nil
	})
	understudy.Handle(s, func(_ context.Context, in *pb.Note) (*pb.Answer, error) {
		return &pb.Answer{Text: fmt.Sprintf("%s!", in.GetText())}, nil
	}, understudy.Arm("loud"))
	return s
}
