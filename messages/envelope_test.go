package messages_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unsafe"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/understudy-go/understudy/messages"
)

// dynamic makes the message M of a file's descriptor in text form.
func dynamic(t testing.TB, text string) proto.Message {
	t.Helper()
	var file descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(`name:"m.proto" syntax:"proto3" `+text), &file); err != nil {
		t.Fatal(err)
	}
	d, err := protodesc.NewFile(&file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewMessage(d.Messages().ByName("M"))
}

const inner = ` message_type{name:"I" field{name:"s" number:1 type:TYPE_STRING label:LABEL_OPTIONAL} field{name:"i" number:2 type:TYPE_MESSAGE type_name:".I" label:LABEL_OPTIONAL}}`

// wide has arms whose tags take one byte, two and three.
const wide = `message_type{name:"M" oneof_decl{name:"o"}
	field{name:"one" number:1 type:TYPE_MESSAGE type_name:".I" oneof_index:0 label:LABEL_OPTIONAL}
	field{name:"sixteen" number:16 type:TYPE_MESSAGE type_name:".I" oneof_index:0 label:LABEL_OPTIONAL}
	field{name:"last" number:4095 type:TYPE_MESSAGE type_name:".I" oneof_index:0 label:LABEL_OPTIONAL}}` + inner

func newEnvelope(t testing.TB, m proto.Message) *messages.Envelope {
	t.Helper()
	e, err := messages.NewEnvelope(m)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNewEnvelope(t *testing.T) {
	e := newEnvelope(t, (*messages.ServerMessage)(nil))
	if e.Name() != "understudy.v1.ServerMessage" {
		t.Errorf("name is %q", e.Name())
	}
	want := []struct {
		name   string
		number protowire.Number
		inner  string
	}{
		{"echo_message", 1, "understudy.v1.EchoMessage"},
		{"add_response", 2, "understudy.v1.AddResponse"},
		{"error", 3, "understudy.v1.Error"},
	}
	if len(e.Arms()) != len(want) {
		t.Fatalf("%d arms, want %d", len(e.Arms()), len(want))
	}
	for i, w := range want {
		arm := e.Arms()[i]
		if arm.Name != w.name || arm.Number != w.number || string(arm.Type.Descriptor().FullName()) != w.inner {
			t.Errorf("arm %d is %s = %d of %s; want %v", i, arm.Name, arm.Number, arm.Type.Descriptor().FullName(), w)
		}
		if e.Arm(w.number) != arm {
			t.Errorf("Arm(%d) is another one", w.number)
		}
		if of := e.ArmsOf(arm.Type.Descriptor().FullName()); len(of) != 1 || of[0] != arm {
			t.Errorf("ArmsOf(%s) is %v", w.inner, of)
		}
	}
	for _, n := range []protowire.Number{-1, 0, 4, 5000} {
		if e.Arm(n) != nil {
			t.Errorf("there is an arm %d", n)
		}
	}
	if of := e.ArmsOf("understudy.v1.AddRequest"); of != nil {
		t.Errorf("ArmsOf a type without an arm: %v", of)
	}
	if of := newEnvelope(t, dynamic(t, wide)).ArmsOf("I"); len(of) != 3 {
		t.Errorf("ArmsOf a type with three arms: %v", of)
	}
}

func TestNewEnvelopeRejects(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"no oneof", `message_type{name:"M"}`, "has no oneof"},
		{"an optional field, no real oneof",
			`message_type{name:"M" oneof_decl{name:"_x"} field{name:"x" number:1 type:TYPE_STRING oneof_index:0 proto3_optional:true label:LABEL_OPTIONAL}}`,
			"has no oneof"},
		{"two oneofs",
			`message_type{name:"M" oneof_decl{name:"a"} oneof_decl{name:"b"}
				field{name:"x" number:1 type:TYPE_MESSAGE type_name:".I" oneof_index:0 label:LABEL_OPTIONAL}
				field{name:"y" number:2 type:TYPE_MESSAGE type_name:".I" oneof_index:1 label:LABEL_OPTIONAL}}` + inner,
			"has the oneofs a and b"},
		{"a scalar arm",
			`message_type{name:"M" oneof_decl{name:"a"} field{name:"x" number:1 type:TYPE_STRING oneof_index:0 label:LABEL_OPTIONAL}}`,
			"arm x is a string"},
		{"a number too large",
			`message_type{name:"M" oneof_decl{name:"a"} field{name:"x" number:4096 type:TYPE_MESSAGE type_name:".I" oneof_index:0 label:LABEL_OPTIONAL}}` + inner,
			"arm x has number 4096, and the largest is 4095"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := messages.NewEnvelope(dynamic(t, tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "envelope M:") {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	tests := []struct {
		name   string
		frame  string
		number protowire.Number // 0: left to Decode
		inner  string
	}{
		{"usual", "\x0a\x03abc", 1, "abc"},
		{"second arm", "\x12\x01x", 2, "x"},
		{"empty inner", "\x0a\x00", 1, ""},
		{"length of two bytes", "\x0a\x81\x01" + strings.Repeat("x", 129), 1, strings.Repeat("x", 129)},
		{"length longer than it needs to be", "\x0a\x81\x00x", 1, "x"},
		{"tag longer than it needs to be", "\x8a\x00\x01x", 1, "x"},
		{"inner is not looked at", "\x0a\x02\xff\xff", 1, "\xff\xff"},
		{"nothing", "", 0, ""},
		{"tag only", "\x0a", 0, ""},
		{"long tag only", "\x8a\x00", 0, ""},
		{"tag cut short", "\x8a", 0, ""},
		{"length cut short", "\x0a\x80", 0, ""},
		{"inner cut short", "\x0a\x03ab", 0, ""},
		{"bytes after the arm", "\x0a\x01ab", 0, ""},
		{"two arms", "\x0a\x01a\x12\x00", 0, ""},
		{"a varint", "\x08\x01", 0, ""},
		{"a varint that looks like an empty arm", "\x08\x00", 0, ""},
		{"a group", "\x0b\x00", 0, ""},
		{"unknown arm", "\x1a\x01a", 0, ""},
		{"field 0", "\x02\x01a", 0, ""},
		{"huge field", "\xfa\xff\xff\xff\x0f\x01a", 0, ""},
		{"tag over 64 bits", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00", 0, ""},
		{"length over 64 bits", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 0, ""},
		{"huge length", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0, ""},
	}
	e := newEnvelope(t, (*messages.ClientMessage)(nil))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frame := []byte(tt.frame)
			arm, got := e.Open(frame)
			if tt.number == 0 {
				if arm != nil || got != nil {
					t.Errorf("opened as %v, %q", arm, got)
				}
				return
			}
			if arm != e.Arm(tt.number) || string(got) != tt.inner {
				t.Fatalf("opened as %v, %q; want arm %d, %q", arm, got, tt.number, tt.inner)
			}
			if len(got) > 0 && unsafe.SliceData(got) != &frame[len(frame)-len(got)] {
				t.Error("the inner bytes are a copy")
			}
		})
	}
}

func TestDecode(t *testing.T) {
	echo := func(s string) *messages.EchoMessage { return &messages.EchoMessage{Content: s} }
	tests := []struct {
		name, frame string
		number      protowire.Number
		want        proto.Message
		code        messages.Code
		text        string
	}{
		{"usual", "\x0a\x03\x0a\x01a", 1, echo("a"), 0, ""},
		{"two arms: the last", "\x0a\x03\x0a\x01a\x12\x02\x08\x05", 2, &messages.AddRequest{A: 5}, 0, ""},
		{"one arm twice: merged", "\x12\x02\x08\x05\x12\x02\x10\x07", 2, &messages.AddRequest{A: 5, B: 7}, 0, ""},
		{"an unknown field beside it", "\x38\x01\x0a\x03\x0a\x01a", 1, echo("a"), 0, ""},
		{"empty", "", 0, nil, messages.InvalidArgument, "empty"},
		{"unknown fields only", "\x3a\x01a", 0, nil, messages.Unimplemented, "field 7 of understudy.v1.ClientMessage"},
		{"cut short", "\x0a\x05a", 0, nil, messages.InvalidArgument, "does not decode as understudy.v1.ClientMessage"},
		{"invalid UTF-8", "\x0a\x03\x0a\x01\xff", 0, nil, messages.InvalidArgument, "does not decode"},
	}
	e := newEnvelope(t, (*messages.ClientMessage)(nil))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			arm, m, err := e.Decode([]byte(tt.frame))
			if tt.want == nil {
				s, ok := err.(*messages.Status)
				if !ok || s.Code != tt.code || !strings.Contains(s.Message, tt.text) || arm != nil || m != nil {
					t.Errorf("got %v, %v, %v; want %s with %q", arm, m, err, tt.code, tt.text)
				}
				return
			}
			if err != nil || arm != e.Arm(tt.number) || !proto.Equal(m, tt.want) {
				t.Errorf("got %v, %v, %v; want arm %d, %v", arm, m, err, tt.number, tt.want)
			}
		})
	}
}

// What Size and AppendHeader make, with a message behind it, is what google.golang.org/protobuf makes, and Open reads it.
func TestHeaderRoundTrip(t *testing.T) {
	types := []proto.Message{(*messages.ClientMessage)(nil), (*messages.ServerMessage)(nil), dynamic(t, wide)}
	for _, typ := range types {
		e := newEnvelope(t, typ)
		for _, arm := range e.Arms() {
			for _, size := range []int{0, 1, 125, 126, 127, 128, 16381, 16382, 16384, 70000} {
				in := arm.Type.New()
				// Bytes of some size: a field that no message here knows.
				in.SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 99, protowire.BytesType), make([]byte, size)))
				payload, err := proto.Marshal(in.Interface())
				if err != nil {
					t.Fatal(err)
				}
				whole := typ.ProtoReflect().Type().New()
				whole.Set(whole.Descriptor().Fields().ByNumber(arm.Number), protoreflect.ValueOfMessage(in))
				want, err := proto.Marshal(whole.Interface())
				if err != nil {
					t.Fatal(err)
				}
				got := append(arm.AppendHeader(nil, len(payload)), payload...)
				if !bytes.Equal(got, want) || arm.Size(len(payload)) != len(want) {
					t.Fatalf("%s.%s, %d bytes: made %d bytes of envelope and said %d; want %d", e.Name(), arm.Name, len(payload), len(got), arm.Size(len(payload)), len(want))
				}
				if found, inner := e.Open(got); found != arm || !bytes.Equal(inner, payload) {
					t.Fatalf("%s.%s, %d bytes: opened as %v, %d bytes", e.Name(), arm.Name, len(payload), found, len(inner))
				}
			}
		}
	}
}

// FuzzEnvelope holds Open and Decode against google.golang.org/protobuf, for generated and for dynamic messages.
func FuzzEnvelope(f *testing.F) {
	for _, m := range []proto.Message{
		&messages.ClientMessage{},
		&messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: "hello, wörld"}}},
		&messages.ClientMessage{Message: &messages.ClientMessage_AddRequest{AddRequest: &messages.AddRequest{A: -1, B: 1 << 30}}},
		&messages.ServerMessage{Message: &messages.ServerMessage_Error{Error: &messages.Error{Code: 13, IncidentId: "i", NotStarted: true}}},
	} {
		frame, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	for _, s := range []string{
		"\x0a\x03\x0a\x01\xff", "\x8a\x00\x01x", "\x0a\x81\x00x", "\x0a\x00\x12\x00", "\x0a\x02\x0b\x0c", "\x82\x01\x02\x0a\x00",
		"\xfa\xff\x01\x00", "\x08\x00", "\x0b\x0c", "\x02\x00", "\x38\x01", "\x0a\x04\x12\x02\x12\x00",
	} {
		f.Add([]byte(s))
	}
	var envelopes []*messages.Envelope
	var types []proto.Message
	for _, m := range []proto.Message{(*messages.ClientMessage)(nil), (*messages.ServerMessage)(nil), dynamic(f, wide)} {
		envelopes, types = append(envelopes, newEnvelope(f, m)), append(types, m)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		for i, e := range envelopes {
			checkEnvelope(t, e, types[i], frame)
		}
	})
}

func checkEnvelope(t *testing.T, e *messages.Envelope, typ proto.Message, frame []byte) {
	whole := typ.ProtoReflect().Type().New()
	oneof := whole.Descriptor().Oneofs().Get(0)
	oracle := proto.Unmarshal(frame, whole.Interface())
	set := whole.WhichOneof(oneof)

	if arm, inner := e.Open(frame); arm != nil {
		in := arm.Type.New().Interface()
		err := proto.Unmarshal(inner, in)
		switch {
		case (err == nil) != (oracle == nil):
			t.Fatalf("%s %x: the inner message decodes with %v, the envelope with %v", e.Name(), frame, err, oracle)
		case err == nil && (set == nil || set.Number() != arm.Number):
			t.Fatalf("%s %x: opened as %s, want %v", e.Name(), frame, arm.Name, set)
		case err == nil && !proto.Equal(in, whole.Get(set).Message().Interface()):
			t.Fatalf("%s %x: opened as %v, want %v", e.Name(), frame, in, whole)
		case err == nil && len(whole.GetUnknown()) > 0:
			t.Fatalf("%s %x: Open skipped the unknown fields %x", e.Name(), frame, whole.GetUnknown())
		}
	}

	arm, m, err := e.Decode(frame)
	switch {
	case oracle == nil && set != nil:
		if err != nil || arm == nil || arm.Number != set.Number() || !proto.Equal(m, whole.Get(set).Message().Interface()) {
			t.Fatalf("%s %x: decoded as %v, %v, %v; want %v", e.Name(), frame, arm, m, err, whole)
		}
	case arm != nil || m != nil:
		t.Fatalf("%s %x: decoded as %v, %v; want an error", e.Name(), frame, arm, m)
	case oracle == nil && len(whole.GetUnknown()) > 0:
		if !errors.Is(err, messages.Unimplemented) {
			t.Fatalf("%s %x: %v, want UNIMPLEMENTED", e.Name(), frame, err)
		}
	default:
		if !errors.Is(err, messages.InvalidArgument) {
			t.Fatalf("%s %x: %v, want INVALID_ARGUMENT for %v", e.Name(), frame, err, oracle)
		}
	}
}

func BenchmarkEnvelopeOpen(b *testing.B) {
	e := newEnvelope(b, (*messages.ClientMessage)(nil))
	frame, err := proto.Marshal(&messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{
		EchoMessage: &messages.EchoMessage{Content: "thirty-two bytes of echo content"},
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if arm, _ := e.Open(frame); arm == nil {
			b.Fatal("not opened")
		}
	}
}

func BenchmarkEnvelopeDecode(b *testing.B) {
	e := newEnvelope(b, (*messages.ClientMessage)(nil))
	frame := []byte("\x0a\x03\x0a\x01a\x12\x02\x08\x05")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := e.Decode(frame); err != nil {
			b.Fatal(err)
		}
	}
}
