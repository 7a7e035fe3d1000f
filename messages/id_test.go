package messages_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/understudy-go/understudy/messages"
)

// tagged is an envelope with an id of some type and a tenant.
func tagged(kind string) string {
	return fmt.Sprintf(`message_type{name:"M" oneof_decl{name:"a"}
		field{name:"x" number:1 type:TYPE_MESSAGE type_name:".I" oneof_index:0 label:LABEL_OPTIONAL}
		field{name:"id" number:20 type:TYPE_%s label:LABEL_OPTIONAL}
		field{name:"ids" number:4 type:TYPE_INT32 label:LABEL_REPEATED}
		field{name:"tenant" number:3 type:TYPE_STRING label:LABEL_OPTIONAL}}`, kind) + inner
}

var idKinds = []string{"INT32", "UINT32", "SINT32", "FIXED32", "SFIXED32", "INT64", "UINT64", "SINT64", "FIXED64", "SFIXED64"}

func idField(t testing.TB, e *messages.Envelope) *messages.IDField {
	t.Helper()
	f, err := e.IDField("id")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestIDFieldRejects(t *testing.T) {
	e := newEnvelope(t, dynamic(t, tagged("INT64")))
	if got := e.Outside(); !slices.Equal(got, []string{"id", "ids", "tenant"}) {
		t.Errorf("outside are %v", got)
	}
	for name, want := range map[string]string{
		"x": "has no field x outside the oneof", "none": "has no field none outside", "tenant": "field tenant is a string", "ids": "field ids is repeated",
	} {
		if _, err := e.IDField(name); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "envelope M") {
			t.Errorf("%s: got %v, want an error with %q", name, err, want)
		}
	}
}

// An id of any type and value that google.golang.org/protobuf writes is found, and Append repeats it byte by byte.
func TestIDs(t *testing.T) {
	for _, kind := range idKinds {
		m := dynamic(t, tagged(kind))
		e := newEnvelope(t, m)
		f := idField(t, e)
		fd := m.ProtoReflect().Descriptor().Fields().ByName("id")
		for _, n := range []int64{0, 1, -1, 127, 128, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64} {
			var v protoreflect.Value
			switch fd.Kind() {
			case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
				v = protoreflect.ValueOfInt32(int32(n))
			case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
				v = protoreflect.ValueOfUint32(uint32(n))
			case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
				v = protoreflect.ValueOfUint64(uint64(n))
			default:
				v = protoreflect.ValueOfInt64(n)
			}
			only := m.ProtoReflect().New()
			only.Set(fd, v)
			want, err := proto.Marshal(only.Interface())
			if err != nil {
				t.Fatal(err)
			}
			id := f.Find(want)
			if got := f.Append(nil, id); !bytes.Equal(got, want) || f.Size(id) != len(want) {
				t.Errorf("%s %d: id %d is written as %x (size %d), want %x", kind, n, id, got, f.Size(id), want)
			}
			if got := f.Of(only.Interface()); got != id {
				t.Errorf("%s %d: Of says %d, Find %d", kind, n, got, id)
			}
			again := e.New()
			if f.Set(again, id); f.Of(again) != id || !proto.Equal(again, only.Interface()) {
				t.Errorf("%s %d: Set gives %v, want %v", kind, n, again, only)
			}
			frame := append(want, "\x0a\x02\x0a\x00"...)
			if arm, inner, got := e.OpenWithID(frame, f); arm == nil || string(inner) != "\x0a\x00" || got != id {
				t.Errorf("%s %d: opened as %v, %x, %d; want id %d", kind, n, arm, inner, got, id)
			}
			for cut := range frame {
				if arm, _, _ := e.OpenWithID(frame[:cut], f); arm != nil {
					t.Errorf("%s %d: cut after %d bytes it opens", kind, n, cut)
				}
				f.Find(frame[:cut])
			}
		}
	}
}

func TestOpenWithIDLeavesTheUnusual(t *testing.T) {
	e := newEnvelope(t, dynamic(t, tagged("UINT64")))
	f := idField(t, e)
	for name, tt := range map[string]struct {
		frame string
		id    uint64 // that Find finds
	}{
		"nothing":                 {"", 0},
		"an id alone":             {"\xa0\x01\x07", 7},
		"a tenant":                {"\x0a\x00\x1a\x01t\xa0\x01\x07", 7},
		"an arm twice":            {"\x0a\x00\x0a\x00\xa0\x01\x07", 7},
		"an id as a string":       {"\x0a\x00\xa2\x01\x017", 0},
		"garbage behind an id":    {"\xa0\x01\x07\x0a\x05", 7},
		"an id that is cut off":   {"\xa0\x01\x07\xa0\x01\x80", 7},
		"an arm as a varint":      {"\x08\x01\xa0\x01\x07", 7},
		"a field that is unknown": {"\x0a\x00\x48\x01\xa0\x01\x07", 7},
	} {
		if arm, _, _ := e.OpenWithID([]byte(tt.frame), f); arm != nil {
			t.Errorf("%s: it opens", name)
		}
		if got := f.Find([]byte(tt.frame)); got != tt.id {
			t.Errorf("%s: Find says %d, want %d", name, got, tt.id)
		}
	}
	if _, _, id := e.OpenWithID([]byte("\xa0\x01\x07\x0a\x00\xa0\x01\x08"), f); id != 8 {
		t.Errorf("of two ids %d counts", id)
	}
}

func TestRepeats(t *testing.T) {
	a := idField(t, newEnvelope(t, dynamic(t, tagged("UINT64"))))
	b := idField(t, newEnvelope(t, dynamic(t, tagged("INT64"))))
	if a.Repeats(b) || !a.Repeats(a) || a.Name() != "id" || a.Number() != 20 {
		t.Error("fields of different types repeat each other")
	}
}

// OpenWithID agrees with google.golang.org/protobuf on whatever it opens.
func FuzzOpenWithID(f *testing.F) {
	e := newEnvelope(f, dynamic(f, tagged("SINT32")))
	id := idField(f, e)
	f.Add([]byte("\xa0\x01\x07\x0a\x00"))
	f.Add([]byte("\x0a\x02\x0a\x00\xa0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		found := id.Find(frame)
		arm, inner, got := e.OpenWithID(frame, id)
		if arm == nil {
			return
		}
		if got != found {
			t.Errorf("opened with id %d, and Find says %d", got, found)
		}
		direct := arm.Type.New().Interface()
		if proto.Unmarshal(inner, direct) != nil {
			return // Decode says what is wrong with it
		}
		a, m, whole, err := e.DecodeWhole(frame)
		if err != nil || a != arm || !proto.Equal(m, direct) || id.Of(whole) != got {
			t.Errorf("decoded as %v %v %v, opened as %v %v with id %d", a, whole, err, arm, direct, got)
		}
	})
}
