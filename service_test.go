package understudy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/internal/foreign"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

func upper(_ context.Context, in *foreign.Text) (*foreign.Text, error) {
	return &foreign.Text{Value: strings.ToUpper(in.Value)}, nil
}

func lower(_ context.Context, in *foreign.Text) (*foreign.Text, error) {
	return &foreign.Text{Value: strings.ToLower(in.Value)}, nil
}

func twice(_ context.Context, in *foreign.Number) (*foreign.Number, error) {
	return &foreign.Number{Value: 2 * in.Value}, nil
}

// result reads a reply of the foreign service.
func (p *peer) result() *foreign.Result {
	p.t.Helper()
	b, err := p.nextFrame()
	if err != nil {
		p.t.Fatal(err)
	}
	r := new(foreign.Result)
	if err := proto.Unmarshal(b, r); err != nil {
		p.t.Fatal(err)
	}
	return r
}

func callUpper(s string) *foreign.Call {
	return &foreign.Call{Kind: &foreign.Call_Upper{Upper: &foreign.Text{Value: s}}}
}

func callLower(s string) *foreign.Call {
	return &foreign.Call{Kind: &foreign.Call_Lower{Lower: &foreign.Text{Value: s}}}
}

// Arms of one type are told apart by their names, in requests and in replies.
func TestArmsOfOneType(t *testing.T) {
	s := understudy.NewService[*foreign.Call, *foreign.Result]()
	understudy.Handle(s, upper, understudy.Arm("upper"), understudy.ReplyArm("upper"))
	understudy.Handle(s, lower, understudy.Arm("lower"), understudy.ReplyArm("lower"))
	understudy.Handle(s, twice)
	h := serve(t, understudy.Config{Service: s})
	p := h.dial()
	p.send(append(p.frame(callUpper("Hello")), p.frame(callLower("Hello"))...)...)
	if r := p.result(); r.GetUpper().GetValue() != "HELLO" {
		t.Errorf("got %v", r)
	}
	if r := p.result(); r.GetLower().GetValue() != "hello" {
		t.Errorf("got %v", r)
	}
	p.send(p.frame(&foreign.Call{Kind: &foreign.Call_Twice{Twice: &foreign.Number{Value: -21}}})...)
	if r := p.result(); r.GetTwice().GetValue() != -42 {
		t.Errorf("got %v", r)
	}
}

// Everything that is wrong with a service is named with its arm, all of it at once, by New.
func TestServiceMistakes(t *testing.T) {
	s := understudy.NewService[*foreign.Call, *foreign.Result]()
	understudy.Handle(s, upper)
	understudy.Handle(s, upper, understudy.Arm("upper"))
	understudy.Handle(s, upper, understudy.Arm("twice"), understudy.ReplyArm("nowhere"))
	understudy.Handle(s, twice)
	understudy.Handle(s, twice)
	understudy.Handle(s, lower, understudy.Arm("lower"), understudy.Arm("upper"), understudy.ReplyArm(""))
	understudy.Handle[*foreign.Call, *foreign.Result, foreign.Number, foreign.Number](s, nil)
	understudy.Handle(s, func(context.Context, *messages.AddRequest) (*messages.AddResponse, error) { return nil, nil })
	s.Use(nil)
	understudy.Handle(s, lower, understudy.Arm("lower"), understudy.ReplyArm("lower"), understudy.With(nil))
	_, err := understudy.New(understudy.Config{Service: s})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"foreign.v1.Text: envelope foreign.v1.Call has the arms upper and lower of type foreign.v1.Text; say which one with Arm",
		"arm upper: envelope foreign.v1.Result has the arms upper and lower of type foreign.v1.Text; say which one with ReplyArm",
		"foreign.v1.Text: envelope foreign.v1.Call has no arm twice of type foreign.v1.Text",
		"foreign.v1.Text: envelope foreign.v1.Result has no arm nowhere of type foreign.v1.Text",
		"arm twice is handled twice",
		"arm lower: Arm is given twice, as lower and upper",
		"arm lower: ReplyArm has no name",
		"arm twice: the handler is nil",
		"understudy.v1.AddRequest: envelope foreign.v1.Call has no arm of type understudy.v1.AddRequest",
		"service: a middleware is nil",
		"arm lower: a middleware is nil",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}

// Middleware stands around handlers in the order given, the service's outermost; it may answer by itself, change the
// context, and what it panics with is the request's fault.
func TestMiddleware(t *testing.T) {
	type key struct{}
	var mu sync.Mutex
	var trail []string
	note := func(name string) understudy.Middleware {
		return func(arm string, next understudy.HandlerFunc) understudy.HandlerFunc {
			return func(ctx context.Context, in proto.Message) (proto.Message, error) {
				mu.Lock()
				trail = append(trail, name+" "+arm)
				mu.Unlock()
				return next(context.WithValue(ctx, key{}, name), in)
			}
		}
	}
	guard := func(_ string, next understudy.HandlerFunc) understudy.HandlerFunc {
		return func(ctx context.Context, in proto.Message) (proto.Message, error) {
			switch in.(*foreign.Text).Value {
			case "forbidden":
				return nil, messages.PermissionDenied
			case "crash":
				panic("in the middleware")
			case "wrong":
				return new(foreign.Number), nil
			}
			return next(ctx, in)
		}
	}
	recovers := func(_ string, next understudy.HandlerFunc) understudy.HandlerFunc {
		return func(ctx context.Context, in proto.Message) (out proto.Message, err error) {
			defer func() {
				if r := recover(); r != nil {
					err = &messages.Status{Code: messages.Aborted, Message: fmt.Sprint(r)}
				}
			}()
			return next(ctx, in)
		}
	}
	var seen atomic.Value
	s := understudy.NewService[*foreign.Call, *foreign.Result]()
	understudy.Handle(s, func(ctx context.Context, in *foreign.Text) (*foreign.Text, error) {
		seen.Store(ctx.Value(key{}))
		return upper(ctx, in)
	}, understudy.Arm("upper"), understudy.ReplyArm("upper"), understudy.With(note("third"), guard))
	s.Use(note("first"), note("second"))
	understudy.Handle(s, func(context.Context, *foreign.Text) (*foreign.Text, error) { panic("recovered") },
		understudy.Arm("lower"), understudy.ReplyArm("lower"), understudy.With(recovers))
	h := serve(t, understudy.Config{Service: s, Workers: 1})
	p := h.dial()
	p.send(p.frame(callUpper("a"))...)
	if r := p.result(); r.GetUpper().GetValue() != "A" || seen.Load() != "third" {
		t.Errorf("got %v, and the handler's context has %v", r, seen.Load())
	}
	mu.Lock()
	if got := strings.Join(trail, ", "); got != "first upper, second upper, third upper" {
		t.Errorf("the middleware is called as %s", got)
	}
	mu.Unlock()
	for value, want := range map[string]messages.Code{"forbidden": messages.PermissionDenied, "crash": messages.Internal, "wrong": messages.Internal} {
		p.send(p.frame(callUpper(value))...)
		if r := p.result(); r.GetError().GetCode() != int32(want) {
			t.Errorf("%s: got %v", value, r)
		}
	}
	p.send(p.frame(callLower("x"))...)
	if r := p.result(); r.GetError().GetCode() != int32(messages.Aborted) || r.GetError().GetMessage() != "recovered" {
		t.Errorf("got %v", r)
	}
}

// A nil of some type is nil, be it a reply or a status.
func TestNilOfSomeType(t *testing.T) {
	s := echoService(func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		if in.Content == "wrapped" {
			return nil, fmt.Errorf("wrapped: %w", (*messages.Status)(nil))
		}
		return nil, (*messages.Status)(nil)
	}, understudy.With(func(_ string, next understudy.HandlerFunc) understudy.HandlerFunc {
		return func(ctx context.Context, in proto.Message) (proto.Message, error) {
			if in.(*messages.EchoMessage).Content == "reply" {
				return (*messages.EchoMessage)(nil), nil
			}
			return next(ctx, in)
		}
	}))
	h := serve(t, understudy.Config{Service: s})
	p := h.dial()
	for _, what := range []string{"status", "wrapped", "reply"} {
		p.send(p.frame(echoRequest(what))...)
		p.want(errorReply(messages.Internal))
	}
	if c := h.Counts(); c.Crashes != 0 {
		t.Errorf("%d workers crashed over it", c.Crashes)
	}
}

// A service may be given to several servers: its middleware is put on once.
func TestServiceOfTwoServers(t *testing.T) {
	var calls atomic.Int64
	s := understudy.NewService[*foreign.Call, *foreign.Result]()
	understudy.Handle(s, twice)
	s.Use(func(_ string, next understudy.HandlerFunc) understudy.HandlerFunc {
		return func(ctx context.Context, in proto.Message) (proto.Message, error) {
			calls.Add(1)
			return next(ctx, in)
		}
	})
	for range 2 {
		p := serve(t, understudy.Config{Service: s}).dial()
		p.send(p.frame(&foreign.Call{Kind: &foreign.Call_Twice{Twice: &foreign.Number{Value: 1}}})...)
		if r := p.result(); r.GetTwice().GetValue() != 2 {
			t.Errorf("got %v", r)
		}
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("the middleware was called %d times for two requests", n)
	}
	if _, err := understudy.New(understudy.Config{Service: (*understudy.Service[*foreign.Call, *foreign.Result])(nil)}); err == nil || errors.Unwrap(err) != nil {
		t.Errorf("a nil service: %v", err)
	}
}
