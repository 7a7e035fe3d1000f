package understudy_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/internal/foreign"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

type echoHandler func(context.Context, *messages.EchoMessage) (*messages.EchoMessage, error)

func echoService(h echoHandler, options ...understudy.HandlerOption) *understudy.Service[*messages.ClientMessage, *messages.ServerMessage] {
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, h, options...)
	return s
}

// Messages that are used again, and alias the read buffer, say what was sent, through crashes and mixed kinds, in every
// framing.
func TestBorrowing(t *testing.T) {
	calls := new(atomic.Int64)
	service := func() *understudy.Service[*messages.ClientMessage, *messages.ServerMessage] {
		s := echoService(func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
			if calls.Add(1)%7 == 0 {
				panic("now and then")
			}
			return in, nil
		}, understudy.Borrowing(), understudy.Idempotent())
		understudy.Handle(s, func(_ context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
			return &messages.AddResponse{Result: in.A + in.B}, nil
		}, understudy.Borrowing())
		return s
	}
	everyFraming(t, understudy.Config{Service: service()}, func(_ *testing.T, _ *host, p *peer) {
		const n = 500
		var all []byte
		for i := range n {
			m, _ := nth(1, i)
			all = append(all, p.frame(m)...)
		}
		p.send(all...)
		for i := range n {
			_, want := nth(1, i)
			p.want(want)
		}
		p.Close()
	})
}

// A handler that keeps to the rules is not found fault with.
func TestCheckBorrowedClean(t *testing.T) {
	var log syncBuffer
	h := serve(t, understudy.Config{CheckBorrowed: true, Logger: log.logger()})
	p := h.dial()
	for i := range 400 { // more than are remembered
		m, want := nth(1, i)
		p.send(p.frame(m)...)
		p.want(want)
	}
	p.send(p.frame(addRequest(1<<30, 1<<30))...)
	p.want(errorReply(messages.OutOfRange))
	p.Close()
	h.stop()
	if strings.Contains(log.String(), "borrowed") {
		t.Error(log.String())
	}
}

func TestCheckBorrowedWrites(t *testing.T) {
	var log syncBuffer
	h := serve(t, understudy.Config{CheckBorrowed: true, Logger: log.logger(), Service: echoService(
		func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
			if in.Content == "change" {
				in.Content = "changed"
			}
			return in, nil
		}, understudy.Borrowing())})
	p := h.dial()
	p.send(p.frame(echoRequest("change"))...)
	reply, err := p.next()
	if err != nil || messages.Code(reply.GetError().GetCode()) != messages.Internal || reply.GetError().GetIncidentId() == "" {
		t.Fatalf("got %v, %v", reply, err)
	}
	p.send(p.frame(echoRequest("as it is"))...)
	p.want(echoReply("as it is"))
	p.Close()
	h.stop()
	if said := log.String(); !strings.Contains(said, reply.GetError().GetIncidentId()) || !strings.Contains(said, "echo_message has written to a message that it had borrowed") {
		t.Error(said)
	}
}

// Who keeps a borrowed message finds it overwritten, and is named; a context that is kept has ended.
func TestCheckBorrowedKept(t *testing.T) {
	var (
		log     syncBuffer
		kept    *messages.EchoMessage
		content string
		ended   context.Context
	)
	s := echoService(func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		kept, content = in, in.Content
		return in, nil
	}, understudy.Borrowing())
	understudy.Handle(s, func(ctx context.Context, _ *messages.AddRequest) (*messages.AddResponse, error) {
		ended = ctx
		return new(messages.AddResponse), nil
	}, understudy.Borrowing())
	h := serve(t, understudy.Config{CheckBorrowed: true, Logger: log.logger(), Service: s})
	p := h.dial()
	p.send(p.frame(echoRequest("mine"))...)
	p.want(echoReply("mine"))
	p.send(p.frame(addRequest(0, 0))...)
	p.want(addReply(0))
	if ended.Err() == nil {
		t.Error("the kept context has not ended")
	}
	p.Close()
	h.stop()
	if kept.GetContent() != "" || content != strings.Repeat("\xdb", len("mine")) {
		t.Errorf("the kept message says %q, the kept string %q", kept.GetContent(), content)
	}
	for _, want := range []string{"echo_message keeps a message that it had borrowed", "add_request keeps a context that it had borrowed"} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("%q is not said once in: %s", want, log.String())
		}
	}
	ended = nil
}

// What is looked at may be what google's codec would not encode: a message's own has taken it.
func TestCheckBorrowedInvalidText(t *testing.T) {
	s := understudy.NewService[*foreign.Call, *foreign.Result]()
	understudy.Handle(s, func(_ context.Context, in *foreign.Text) (*foreign.Text, error) {
		before := in.Value
		if before == "\xfe" {
			in.Value = "changed"
		}
		return &foreign.Text{Value: fmt.Sprintf("%q", before)}, nil
	}, understudy.Arm("upper"), understudy.ReplyArm("upper"), understudy.UnmarshalVT(), understudy.Borrowing())
	h := serve(t, understudy.Config{Service: s, CheckBorrowed: true})
	p := h.dial()
	for value, want := range map[string]*foreign.Result{
		"\xff": {Kind: &foreign.Result_Upper{Upper: &foreign.Text{Value: `"\xff"`}}},
		"\xfe": {Kind: &foreign.Result_Error{Error: &messages.Error{Code: int32(messages.Internal), Message: "the handler broke a rule of the server"}}},
	} {
		p.send(p.framing.AppendHeader(nil, 5)...)
		p.send([]byte("\x0a\x03\x0a\x01" + value)...)
		frame, err := p.nextFrame()
		got := new(foreign.Result)
		if err == nil {
			err = proto.Unmarshal(frame, got)
		}
		if e := got.GetError(); e != nil {
			e.IncidentId = ""
		}
		if err != nil || !proto.Equal(got, want) {
			t.Errorf("%q: got %v, %v", value, got, err)
		}
	}
}

// An error may hold parts of what was borrowed: they are whole for as long as somebody has it, such as the log.
func TestBorrowedInAnError(t *testing.T) {
	for _, check := range []bool{false, true} {
		t.Run(fmt.Sprint("checked ", check), func(t *testing.T) {
			var log syncBuffer
			h := serve(t, understudy.Config{CheckBorrowed: check, Logger: log.logger(), Service: echoService(
				func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
					return nil, &messages.Status{Code: messages.Internal, Message: in.Content}
				}, understudy.Borrowing())})
			p := h.dial()
			for i := range 300 {
				said := fmt.Sprintf("request %03d", i)
				p.send(p.frame(echoRequest(said))...)
				if m, err := p.next(); err != nil || m.GetError().GetMessage() != said {
					t.Fatalf("got %v, %v", m, err)
				}
			}
			p.Close()
			h.stop()
			first := strings.Count(log.String(), "INTERNAL: request 0")
			if all := strings.Count(log.String(), "INTERNAL: "); first == 0 || strings.Count(log.String(), "INTERNAL: request ") != all {
				t.Errorf("the log says\n%s", log.String())
			}
		})
	}
}

// A message's own codec is used if the handler is registered so, and takes what google's refuses.
func TestUnmarshalVT(t *testing.T) {
	upper := func(_ context.Context, in *foreign.Text) (*foreign.Text, error) {
		return &foreign.Text{Value: fmt.Sprintf("%q", in.Value)}, nil
	}
	arm := []understudy.HandlerOption{understudy.Arm("upper"), understudy.ReplyArm("upper")}
	for name, options := range map[string][]understudy.HandlerOption{
		"google's":           nil,
		"google's, borrowed": {understudy.Borrowing()},
		"its own":            {understudy.UnmarshalVT()},
		"its own, borrowed":  {understudy.UnmarshalVT(), understudy.Borrowing()},
	} {
		t.Run(name, func(t *testing.T) {
			s := understudy.NewService[*foreign.Call, *foreign.Result]()
			understudy.Handle(s, upper, append(options, arm...)...)
			h := serve(t, understudy.Config{Service: s})
			p := h.dial()
			for range 2 { // the second is decoded into what the first has left
				p.send(p.frame(&foreign.Call{Kind: &foreign.Call_Upper{Upper: &foreign.Text{Value: "valid"}}})...)
				p.send(p.framing.AppendHeader(nil, 5)...)
				p.send([]byte("\x0a\x03\x0a\x01\xff")...)
				p.send(p.frame(&foreign.Call{Kind: &foreign.Call_Upper{Upper: &foreign.Text{}}})...)
				for _, want := range []string{`"valid"`, `"\xff"`, `""`} {
					frame, err := p.nextFrame()
					if err != nil {
						t.Fatal(err)
					}
					var got foreign.Result
					if err := proto.Unmarshal(frame, &got); err != nil {
						t.Fatal(err)
					}
					lenient := len(options) > 0 && strings.HasPrefix(name, "its own")
					if want == `"\xff"` && !lenient {
						if messages.Code(got.GetError().GetCode()) != messages.InvalidArgument {
							t.Errorf("got %v", &got)
						}
					} else if got.GetUpper().GetValue() != want {
						t.Errorf("got %v, want %s", &got, want)
					}
				}
			}
			p.Close()
		})
	}
	s := understudy.NewService[*foreign.Call, *foreign.Result]()
	understudy.Handle(s, func(context.Context, *foreign.Number) (*foreign.Number, error) { return nil, nil }, understudy.UnmarshalVT())
	if _, err := understudy.New(understudy.Config{Service: s}); err == nil || !strings.Contains(err.Error(), "twice") || !strings.Contains(err.Error(), "UnmarshalVT") {
		t.Errorf("got %v", err)
	}
}
