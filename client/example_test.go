package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"
	pb "github.com/understudy-go/understudy/client/internal/wire"
	"github.com/understudy-go/understudy/messages"
)

func Example() {
	url, stop := exampleServer(understudy.EchoAdd())
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](ctx, url, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	sum, err := client.Call[messages.AddResponse](ctx, c, &messages.AddRequest{A: 2, B: 40})
	fmt.Println(sum.GetResult(), err)

	_, err = client.Call[messages.AddResponse](ctx, c, &messages.AddRequest{A: math.MaxInt32, B: 1})
	fmt.Println(errors.Is(err, messages.OutOfRange))
	// Output:
	// 42 <nil>
	// true
}

// Any number of goroutines may use a client; this one has up to four connections, and waits at most a second before it
// connects again.
func ExampleOptions() {
	url, stop := exampleServer(askService())
	defer stop()

	ctx := context.Background()
	c, err := client.Dial[*pb.Request, *pb.Reply](ctx, url, client.Options{Connections: 4, MaxBackoff: time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, err := client.Call[pb.Answer](ctx, c, &pb.Ask{Text: "anyone there?"}); err != nil {
				fmt.Println(err)
			}
		})
	}
	wg.Wait()
	fmt.Println(c.Counts().InFlight)
	// Output: 0
}

// With request ids the server may answer in any order: a slow request holds up none behind it.
func ExampleOptions_requestID() {
	service := askService()
	service.RequestID("id")
	url, stop := exampleServer(service)
	defer stop()

	ctx := context.Background()
	c, err := client.Dial[*pb.Request, *pb.Reply](ctx, url, client.Options{RequestID: "id"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	answer, err := client.Call[pb.Answer](ctx, c, &pb.Ask{Text: "anyone there?"})
	fmt.Println(answer.GetText(), err)
	// Output: ANYONE THERE? <nil>
}

// TLS is a dialer.
func ExampleOptions_tls() {
	dialer := &tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS13}}
	c, err := client.Dial[*pb.Request, *pb.Reply](context.Background(), "tcp://example.com:7070", client.Options{Dial: dialer.DialContext})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
}

// An idempotent call is tried again also where nobody knows whether the server has begun it.
func ExampleIdempotent() {
	url, stop := exampleServer(askService())
	defer stop()

	ctx := context.Background()
	c, err := client.Dial[*pb.Request, *pb.Reply](ctx, url, client.Options{Retries: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	answer, err := client.Call[pb.Answer](ctx, c, &pb.Ask{Text: "anyone there?"}, client.Idempotent())
	fmt.Println(answer.GetText(), err)
	// Output: ANYONE THERE? <nil>
}

// Where several arms have the type of the request, one has to be named.
func ExampleArm() {
	url, stop := exampleServer(askService())
	defer stop()

	ctx := context.Background()
	c, err := client.Dial[*pb.Request, *pb.Reply](ctx, url, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	_, err = client.Call[pb.Answer](ctx, c, &pb.Note{Text: "hello"})
	fmt.Println(err)
	answer, err := client.Call[pb.Answer](ctx, c, &pb.Note{Text: "hello"}, client.Arm("loud"))
	fmt.Println(answer.GetText(), err)
	// Output:
	// call: INVALID_ARGUMENT: envelope clienttest.v1.Request has the arms loud and quiet of type clienttest.v1.Note; say which one with Arm
	// hello! <nil>
}

// Where several arms have the type of the reply, one may be insisted on.
func ExampleReplyArm() {
	service := understudy.NewService[*pb.Request, *pb.Reply]()
	understudy.Handle(service, func(context.Context, *pb.Ask) (*pb.Alarm, error) {
		return &pb.Alarm{Level: 3}, nil
	}, understudy.ReplyArm("alarm"))
	url, stop := exampleServer(service)
	defer stop()

	ctx := context.Background()
	c, err := client.Dial[*pb.Request, *pb.Reply](ctx, url, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	alarm, err := client.Call[pb.Alarm](ctx, c, &pb.Ask{Text: "all clear?"}, client.ReplyArm("alarm"))
	fmt.Println(alarm.GetLevel(), err)
	_, err = client.Call[pb.Alarm](ctx, c, &pb.Ask{Text: "all clear?"}, client.ReplyArm("all_clear"))
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// call: INTERNAL: the reply is of another kind: it came in arm alarm, and was to come in all_clear
}

// Fields of the request's envelope that stand outside its oneof.
func ExampleFields() {
	url, stop := exampleServer(askService())
	defer stop()

	ctx := context.Background()
	c, err := client.Dial[*pb.Request, *pb.Reply](ctx, url, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	answer, err := client.Call[pb.Answer](ctx, c, &pb.Ask{Text: "anyone there?"}, client.Fields(&pb.Request{Tenant: "acme"}))
	fmt.Println(answer.GetText(), err)
	// Output: ANYONE THERE? for acme <nil>
}

// What the server pushes in arms of type Note goes to a handler. What it remembers of a connection — here that it is to tell
// — is said again on each new one.
func ExampleOnPush() {
	url, stop := exampleServer(askService())
	defer stop()

	heard := make(chan string)
	ctx := context.Background()
	c, err := client.Dial[*pb.Request, *pb.Reply](ctx, url, client.Options{
		Pushes: []client.Push{
			client.OnPush(func(_ context.Context, m *pb.Note) { heard <- m.GetText() }),
		},
		OnConnect: func(ctx context.Context, c *client.Client) {
			if _, err := client.Call[pb.Answer](ctx, c, &pb.Ask{Text: "tell me"}); err != nil {
				fmt.Println(err)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Println("pushed:", <-heard)
	// Output: pushed: tell me
}

// Shutdown lets the calls that have begun come to their end.
func ExampleClient_Shutdown() {
	url, stop := exampleServer(askService())
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial[*pb.Request, *pb.Reply](ctx, url, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Shutdown(ctx))
	_, err = client.Call[pb.Answer](ctx, c, &pb.Ask{})
	fmt.Println(errors.Is(err, messages.Unavailable))
	// Output:
	// <nil>
	// true
}
