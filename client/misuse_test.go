package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

func TestRequestsThatCannotBeSent(t *testing.T) {
	for _, framing := range framings {
		t.Run(framing.Name(), func(t *testing.T) {
			c := dial(t, serve(t, "tcp", framing, answerAll), client.Options{MaxFrame: 100})
			_, err := client.Call[messages.EchoMessage](t.Context(), c, nil)
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = client.Call[messages.EchoMessage](t.Context(), c, (*messages.EchoMessage)(nil))
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = client.Call[messages.EchoMessage](t.Context(), c, &messages.AddResponse{}) // no arm of the request
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = client.Call[messages.AddRequest](t.Context(), c, &messages.AddRequest{}) // no arm of the reply
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = client.Call[messages.Error](t.Context(), c, &messages.AddRequest{})
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = echo(t.Context(), c, "x", client.Arm("add_request"))
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = echo(t.Context(), c, "x", client.ReplyArm("add_response"))
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = echo(t.Context(), c, "\xff")
			wantStatus(t, err, messages.InvalidArgument, true)
			_, err = echo(t.Context(), c, strings.Repeat("x", 100))
			wantStatus(t, err, messages.ResourceExhausted, true)
			if got, err := echo(t.Context(), c, "fine"); err != nil || got != "fine" {
				t.Errorf("after requests that were refused: %q, %v", got, err)
			}
		})
	}
}

func TestRepliesThatCannotBeUsed(t *testing.T) {
	frame := func(payload string) []byte {
		return append(transport.Delimited.AppendHeader(nil, len(payload)), payload...)
	}
	for _, c := range []struct {
		name  string
		reply []byte
		code  messages.Code
		says  string
		goes  bool // the connection goes on
	}{
		{"the message inside does not decode", frame("\x0a\x03\x0a\x01\xff"), messages.Internal, "does not decode", true},
		{"an error that does not decode", frame("\x1a\x01\xff"), messages.Internal, "does not decode", true},
		{"not protobuf", frame("\xff\xff"), messages.Internal, "does not decode", false},
		{"empty", frame(""), messages.Internal, "no known arm", false},
		{"unknown arm", frame("\x22\x00"), messages.Internal, "no known arm", false},
		{"another kind", frame("\x12\x00"), messages.Internal, "another kind", false},
		{"over the limit", frame(strings.Repeat("x", 101)), messages.Unavailable, "101 bytes", false},
		{"no frame", []byte(strings.Repeat("\xff", 11)), messages.Unavailable, "varint", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			arrived, errs := make(chan struct{}), [2]chan error{make(chan error, 1), make(chan error, 1)}
			to := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
				p.request()
				close(arrived)
				p.request()
				p.write(append(c.reply, p.frame(failure(&messages.Status{Code: messages.Aborted, Message: "the second reply"}))...))
				p.drain()
			}), client.Options{MaxFrame: 100})
			for i := range errs {
				go func() {
					_, err := echo(t.Context(), to, "x")
					errs[i] <- err
				}()
				<-arrived // the first, before the second is sent
			}
			err := <-errs[0]
			wantStatus(t, err, c.code, false)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %q does not say %q", err, c.says)
			}
			want := messages.Unavailable
			if c.goes {
				want = messages.Aborted
			}
			if err := <-errs[1]; !errors.Is(err, want) {
				t.Errorf("the next call: %v, want %v", err, want)
			}
		})
	}
}

func TestAddRefusesAnEcho(t *testing.T) {
	c := dial(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.request()
		p.write([]byte{2, 0x0a, 0})
		p.drain()
	}), client.Options{})
	_, err := add(t.Context(), c, 1, 2)
	wantStatus(t, err, messages.Internal, false)
}
