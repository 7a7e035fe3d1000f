package messages_test

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/understudy-go/understudy/messages"
)

// coded are the messages that have a codec of their own.
var coded = []messages.Strict{(*messages.EchoMessage)(nil), (*messages.AddRequest)(nil), (*messages.AddResponse)(nil), (*messages.Error)(nil)}

func fresh(m proto.Message) messages.Strict {
	return m.ProtoReflect().Type().New().Interface().(messages.Strict)
}

// FuzzCodec holds our codec against google.golang.org/protobuf: both accept and refuse the same, understand the same, and
// write the same.
func FuzzCodec(f *testing.F) {
	for _, m := range []proto.Message{
		&messages.EchoMessage{Content: "hello, wörld"},
		&messages.EchoMessage{Content: strings.Repeat("x", 300)},
		&messages.AddRequest{A: -1, B: 1 << 30},
		&messages.AddResponse{Result: 200},
		&messages.Error{Code: 13, Message: "m", IncidentId: "i", RetryAfterMs: -5, NotStarted: true},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{
		"", "\x0a", "\x0a\x01", "\x0a\x01\xff", "\x0a\x02xx\x0a\x00", "\x8a\x00\x01x", "\x0a\x81\x00x", "\x08\x80\x00", "\x08\x80", "\x28\x02", "\x28\x80\x00",
		"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"\x0a\x01x\x72\x01y", "\x72\x01y\x0a\x01x", "\x0a\x01x\x0a\x01\xff", "\x08\x01\x10\x02\x08\x03", "\x0b\x08\x01\x0c", "\x0a\xff\xff\xff\xff\x0f", "\x00\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range coded {
			checkCodec(t, m, b)
		}
	})
}

func checkCodec(t *testing.T, m messages.Strict, b []byte) {
	t.Helper()
	oracle := fresh(m)
	refused := proto.Unmarshal(b, oracle)
	for name, decode := range map[string]func(messages.Strict, []byte) error{
		"UnmarshalVT":       messages.Strict.UnmarshalVT,
		"UnmarshalVTUnsafe": messages.Strict.UnmarshalVTUnsafe,
	} {
		got := fresh(m)
		if err := decode(got, b); (err == nil) != (refused == nil) {
			t.Fatalf("%T %x: %s: %v; google: %v", m, b, name, err, refused)
		}
		if refused != nil {
			continue
		}
		if !proto.Equal(got, oracle) {
			t.Fatalf("%T %x: %s: %v; google: %v", m, b, name, got, oracle)
		}
		// Once more: the second merges into the first, as fields that come again do.
		again := fresh(m)
		if err := proto.Unmarshal(append(bytes.Clone(b), b...), again); err != nil {
			t.Fatal(err)
		}
		if err := decode(got, b); err != nil || !proto.Equal(got, again) {
			t.Fatalf("%T %x twice: %s: %v, %v; google: %v", m, b, name, got, err, again)
		}
	}
	if refused == nil {
		checkEncode(t, oracle)
	}
}

func checkEncode(t *testing.T, m messages.Encoder) {
	t.Helper()
	want, refused := proto.Marshal(m)
	size := messages.Size(m)
	got, err := messages.Append([]byte("before"), m, size)
	switch {
	case (err == nil) != (refused == nil):
		t.Fatalf("%T: %v; google: %v", m, err, refused)
	case err != nil && string(got) != "before":
		t.Fatalf("%T: not as it was: %q", m, got)
	case err == nil && !bytes.Equal(got, append([]byte("before"), want...)):
		t.Fatalf("%T: %x; google: %x", m, got, want)
	case err == nil && size != len(want):
		t.Fatalf("%T: the size is %d; google: %d", m, size, len(want))
	}
}

// What is read from the wire is valid: what a handler may put into a message need not be.
func TestEncode(t *testing.T) {
	for _, m := range []messages.Encoder{
		&messages.EchoMessage{Content: "\xff"},
		&messages.Error{Message: "\xff"},
		&messages.Error{IncidentId: "\xff", Message: "valid"},
		&messages.AddResponse{Result: -1 << 31},
		(*messages.EchoMessage)(nil), (*messages.AddRequest)(nil), (*messages.AddResponse)(nil), (*messages.Error)(nil),
	} {
		checkEncode(t, m)
	}
}

// A message without a codec of its own is google's.
func TestAppendPlain(t *testing.T) {
	m := wrapperspb.String("plain")
	want, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := messages.Append(nil, m, messages.Size(m))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
	if got, err = messages.Append([]byte("before"), wrapperspb.String("\xff"), 3); err == nil || string(got[:6]) != "before" {
		t.Errorf("%q, %v", got, err)
	}
}

// A message that grows between Size and Append gives an error, and no frame of a wrong length.
func TestAppendResized(t *testing.T) {
	m := &messages.EchoMessage{Content: "as it was measured"}
	size := messages.Size(m)
	m.Content = "shorter"
	if got, err := messages.Append([]byte("before"), m, size); err == nil || string(got) != "before" {
		t.Errorf("%q, %v", got, err)
	}
}

// What is borrowed aliases the buffer; what is not does not.
func TestAlias(t *testing.T) {
	b, err := proto.Marshal(&messages.EchoMessage{Content: "content"})
	if err != nil {
		t.Fatal(err)
	}
	var owned, borrowed messages.EchoMessage
	if err := owned.UnmarshalVT(b); err != nil {
		t.Fatal(err)
	}
	if err := borrowed.UnmarshalVTUnsafe(b); err != nil {
		t.Fatal(err)
	}
	copy(b[2:], "CONTENT")
	if owned.Content != "content" || borrowed.Content != "CONTENT" {
		t.Errorf("owned %q, borrowed %q", owned.Content, borrowed.Content)
	}
}

func TestCodecAllocations(t *testing.T) {
	m := &messages.EchoMessage{Content: "thirty-two bytes of an echo text"}
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 0, 64)
	var in messages.EchoMessage
	for name, f := range map[string]func(){
		"encode": func() { dst, _ = messages.Append(dst[:0], m, messages.Size(m)) },
		"borrow": func() { _ = in.UnmarshalVTUnsafe(b) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkCodec(b *testing.B) {
	m := &messages.EchoMessage{Content: "thirty-two bytes of an echo text"}
	encoded, err := proto.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 0, 64)
	var in messages.EchoMessage
	for _, bench := range []struct {
		name string
		f    func()
	}{
		{"encode", func() { dst, _ = messages.Append(dst[:0], m, messages.Size(m)) }},
		{"encode=google", func() {
			proto.Size(m)
			dst, _ = proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(dst[:0], m)
		}},
		{"decode=borrow", func() { _ = in.UnmarshalVTUnsafe(encoded) }},
		{"decode", func() { _ = new(messages.EchoMessage).UnmarshalVT(encoded) }},
		{"decode=google", func() { _ = proto.Unmarshal(encoded, new(messages.EchoMessage)) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.f()
			}
		})
	}
}
