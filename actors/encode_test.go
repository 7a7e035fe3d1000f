package actors

import (
	"errors"
	"testing"

	"github.com/understudy-go/understudy/internal/foreign"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func echoTable(t testing.TB) *Table {
	t.Helper()
	requests, err := messages.NewEnvelope((*messages.ClientMessage)(nil))
	if err != nil {
		t.Fatal(err)
	}
	replies, err := messages.NewEnvelope((*messages.ServerMessage)(nil))
	if err != nil {
		t.Fatal(err)
	}
	table, err := NewTable(requests, replies)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// What the encoder appends is, in every framing, what google.golang.org/protobuf makes of the same envelope, framed.
func TestEncoder(t *testing.T) {
	table := echoTable(t)
	long := string(make([]byte, 300)) // a length of two bytes
	echo := table.Replies.Arm(1)
	replies := []struct {
		name   string
		append func(*encoder, []byte) ([]byte, error)
		want   *messages.ServerMessage
	}{
		{"empty", func(e *encoder, dst []byte) ([]byte, error) { return e.reply(dst, 0, echo, &messages.EchoMessage{}) },
			&messages.ServerMessage{Message: &messages.ServerMessage_EchoMessage{EchoMessage: &messages.EchoMessage{}}}},
		{"long", func(e *encoder, dst []byte) ([]byte, error) {
			return e.reply(dst, 0, echo, &messages.EchoMessage{Content: long})
		},
			&messages.ServerMessage{Message: &messages.ServerMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: long}}}},
		{"status", func(e *encoder, dst []byte) ([]byte, error) {
			return e.status(dst, 0, &messages.Status{Code: messages.Internal, Message: "b\xffd", IncidentID: "i"}), nil
		},
			&messages.ServerMessage{Message: &messages.ServerMessage_Error{Error: &messages.Error{Code: 13, Message: "b\uFFFDd", IncidentId: "i"}}}},
	}
	for _, name := range transport.Framings() {
		framing, err := transport.FramingByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range replies {
			got, err := r.append(newEncoder(table, framing, nil), []byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(r.want)
			if err != nil {
				t.Fatal(err)
			}
			want := append(framing.AppendHeader([]byte("before"), len(payload)), payload...)
			if string(got) != string(want) {
				t.Errorf("%s, %s: %x, want %x", name, r.name, got, want)
			}
		}
	}
}

// A reply that does not encode leaves no bytes behind.
func TestEncoderFailureLeavesNothing(t *testing.T) {
	table := echoTable(t)
	e := newEncoder(table, transport.Delimited, nil)
	dst, err := e.reply([]byte("before"), 0, table.Replies.Arm(1), &messages.EchoMessage{Content: "\xff"})
	if err == nil || string(dst) != "before" {
		t.Errorf("got %q, %v; want %q and an error", dst, err, "before")
	}
}

// growing is a message that has become longer each time that somebody looks.
type growing struct {
	foreign.Number
	looks int
}

func (g *growing) ProtoReflect() protoreflect.Message {
	g.looks++
	return (&foreign.Number{Value: 1 << min(7*g.looks, 62)}).ProtoReflect()
}

// A reply of another size than its headers say is none: whoever reads the stream would take what follows for something else.
func TestEncoderFindsWhatGrows(t *testing.T) {
	table := echoTable(t)
	e := newEncoder(table, transport.Delimited, nil)
	dst, err := e.reply([]byte("before"), 0, table.Replies.Arm(1), new(growing))
	if !errors.Is(err, messages.ErrResized) || string(dst) != "before" {
		t.Errorf("got %q, %v; want %q and %v", dst, err, "before", messages.ErrResized)
	}
}

func BenchmarkEncoderReply(b *testing.B) {
	table := echoTable(b)
	e := newEncoder(table, transport.Delimited, nil)
	arm, m := table.Replies.Arm(1), &messages.EchoMessage{Content: "thirty-two bytes of echo content"}
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = e.reply(buf[:0], 0, arm, m); err != nil {
			b.Fatal(err)
		}
	}
}
