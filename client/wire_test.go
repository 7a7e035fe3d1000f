package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/client/internal/wire"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// dialWire connects to a server of the tests' own wire. Unless o says otherwise, calls are tried once.
func dialWire(t testing.TB, url string, o client.Options) *client.Client {
	t.Helper()
	if o.Retries == 0 {
		o.Retries = -1
	}
	c, err := client.Dial[*wire.Request, *wire.Reply](t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func ask(ctx context.Context, c *client.Client, text string, options ...client.CallOption) (string, error) {
	reply, err := client.Call[wire.Answer](ctx, c, &wire.Ask{Text: text}, options...)
	return reply.GetText(), err
}

func answer(id uint32, text string) *wire.Reply {
	return &wire.Reply{Kind: &wire.Reply_Answer{Answer: &wire.Answer{Text: text}}, Id: id}
}

func note(text string) *wire.Reply {
	return &wire.Reply{Kind: &wire.Reply_Note{Note: &wire.Note{Text: text}}}
}

// answerWire answers each request with its own text, and what it came as.
func answerWire(p *peer) {
	for m := new(wire.Request); p.read(m); m = new(wire.Request) {
		p.write(p.frame(answer(m.GetId(), said(m))))
	}
}

func said(m *wire.Request) string {
	text := ""
	switch kind := m.GetKind().(type) {
	case *wire.Request_Ask:
		text = "ask " + kind.Ask.GetText()
	case *wire.Request_Loud:
		text = "loud " + kind.Loud.GetText()
	case *wire.Request_Quiet:
		text = "quiet " + kind.Quiet.GetText()
	}
	if m.GetTenant() != "" {
		text += " for " + m.GetTenant()
	}
	return text
}

func TestArmsOfOneType(t *testing.T) {
	for _, framing := range framings {
		c := dialWire(t, serve(t, "tcp", framing, answerWire), client.Options{})
		for _, arm := range []string{"loud", "quiet"} {
			reply, err := client.Call[wire.Answer](t.Context(), c, &wire.Note{Text: "x"}, client.Arm(arm))
			if err != nil || reply.GetText() != arm+" x" {
				t.Errorf("%s: %v, %v", framing.Name(), reply, err)
			}
		}
		if got, err := ask(t.Context(), c, "x", client.ReplyArm("answer")); err != nil || got != "ask x" {
			t.Errorf("%s: %q, %v", framing.Name(), got, err)
		}
	}
}

// A reply has to come in the arm that is named, where several have its type.
func TestReplyArm(t *testing.T) {
	c := dialWire(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		for m := new(wire.Request); p.read(m); m = new(wire.Request) {
			p.write(p.frame(&wire.Reply{Kind: &wire.Reply_AllClear{AllClear: &wire.Alarm{Level: 3}}, Id: m.GetId()}))
		}
	}), client.Options{RequestID: "id"})
	for _, options := range [][]client.CallOption{nil, {client.ReplyArm("all_clear")}} {
		reply, err := client.Call[wire.Alarm](t.Context(), c, &wire.Ask{}, options...)
		if err != nil || reply.GetLevel() != 3 {
			t.Errorf("%v, %v", reply, err)
		}
	}
	_, err := client.Call[wire.Alarm](t.Context(), c, &wire.Ask{}, client.ReplyArm("alarm"))
	wantStatus(t, err, messages.Internal, false)
	if !strings.Contains(err.Error(), "all_clear") {
		t.Errorf("%v does not name the arm", err)
	}
}

func TestFieldsOutsideTheOneof(t *testing.T) {
	for _, id := range []string{"", "id"} {
		c := dialWire(t, serve(t, "tcp", transport.Delimited, answerWire), client.Options{RequestID: id})
		if got, err := ask(t.Context(), c, "x", client.Fields(&wire.Request{Tenant: "acme"})); err != nil || got != "ask x for acme" {
			t.Errorf("%q, %v", got, err)
		}
		for name, o := range map[string]client.CallOption{
			"arm ask is set":    client.Fields(&wire.Request{Kind: &wire.Request_Ask{}}),
			"envelope is":       client.Fields(&wire.Reply{}),
			"an option is nil":  nil,
			"contains invalid ": client.Fields(&wire.Request{Tenant: "\xff"}),
		} {
			_, err := ask(t.Context(), c, "x", o)
			wantStatus(t, err, messages.InvalidArgument, true)
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%v does not say %q", err, name)
			}
		}
		_, err := ask(t.Context(), c, "x", client.Fields(&wire.Request{Id: 4}))
		if id == "" && err != nil || id != "" && !errors.Is(err, messages.InvalidArgument) {
			t.Errorf("a field that is the request id, or not, %q: %v", id, err)
		}
	}
	c := dialWire(t, serve(t, "tcp", transport.Unframed, answerWire), client.Options{})
	_, err := ask(t.Context(), c, "x", client.Fields(&wire.Request{Tenant: "acme"}))
	wantStatus(t, err, messages.InvalidArgument, true)
}

// Unusual, but right: the full decoder's cases.
func TestRepliesInUnusualForms(t *testing.T) {
	merged := func(ms ...*wire.Reply) (payload []byte) {
		for _, m := range ms {
			b, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			payload = append(payload, b...)
		}
		return payload
	}
	unknown := []byte{0x98, 0x06, 1} // field 99, varint 1
	for _, id := range []uint32{0, 1} {
		for name, payload := range map[string][]byte{
			"the last arm wins":    merged(note("no"), answer(id, "yes")),
			"an unknown field":     append(merged(answer(id, "yes")), unknown...),
			"outside first":        merged(&wire.Reply{ServedBy: "me"}, answer(id, "yes")),
			"an arm in two pieces": merged(answer(id, "no"), answer(0, "yes")),
		} {
			o := client.Options{}
			if id != 0 {
				o.RequestID = "id"
			}
			c := dialWire(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
				if p.read(new(wire.Request)) {
					p.write(append(p.framing.AppendHeader(nil, len(payload)), payload...))
				}
				p.drain()
			}), o)
			if got, err := ask(t.Context(), c, "x"); err != nil || got != "yes" {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
}
