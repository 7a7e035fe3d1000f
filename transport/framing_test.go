package transport_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

var all = []transport.Framing{transport.Delimited, transport.Length32, transport.Unframed}

func TestFramingNames(t *testing.T) {
	if got := transport.Framings(); !slices.Equal(got, []string{"delimited", "length32", "unframed"}) {
		t.Fatal(got)
	}
	for i, name := range transport.Framings() {
		if f, err := transport.FramingByName(name); err != nil || f != all[i] || f.Name() != name {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	_, err := transport.FramingByName("lines")
	if err == nil || !strings.Contains(err.Error(), `"lines"`) || !strings.Contains(err.Error(), "delimited, length32, unframed") {
		t.Error(err)
	}
}

// TestNext checks single decisions: whole frames, what is still needed, and the fatal errors with their codes.
func TestNext(t *testing.T) {
	ones := func(n int) []byte { return bytes.Repeat([]byte{0xff}, n) }
	const max = 100
	for _, c := range []struct {
		name    string
		framing transport.Framing
		buf     []byte
		payload string
		n, need int
		code    messages.Code
	}{
		{"empty", transport.Delimited, nil, "", 0, 1, 0},
		{"one of no bytes", transport.Delimited, []byte{0, 9}, "", 1, 0, 0},
		{"one and more", transport.Delimited, []byte{2, 'a', 'b', 'c'}, "ab", 3, 0, 0},
		{"part of the payload", transport.Delimited, []byte{2, 'a'}, "", 0, 3, 0},
		{"part of the length", transport.Delimited, []byte{0x80}, "", 0, 2, 0},
		{"long way to write 1", transport.Delimited, []byte{0x81, 0x80, 0, 'a'}, "a", 4, 0, 0},
		{"at the limit", transport.Delimited, []byte{100}, "", 0, 101, 0},
		{"over the limit", transport.Delimited, []byte{101}, "", 0, 0, messages.ResourceExhausted},
		{"64 bits", transport.Delimited, append(ones(9), 1), "", 0, 0, messages.ResourceExhausted},
		{"65 bits", transport.Delimited, append(ones(9), 2), "", 0, 0, messages.InvalidArgument},
		{"11 bytes", transport.Delimited, ones(11), "", 0, 0, messages.InvalidArgument},

		{"empty", transport.Length32, nil, "", 0, 4, 0},
		{"part of the length", transport.Length32, []byte{0, 0, 0}, "", 0, 4, 0},
		{"one of no bytes", transport.Length32, []byte{0, 0, 0, 0}, "", 4, 0, 0},
		{"one and more", transport.Length32, []byte{0, 0, 0, 1, 'a', 'b'}, "a", 5, 0, 0},
		{"part of the payload", transport.Length32, []byte{0, 0, 0, 9, 'a'}, "", 0, 13, 0},
		{"over the limit", transport.Length32, []byte{0, 0, 0, 101}, "", 0, 0, messages.ResourceExhausted},
		{"4 GiB", transport.Length32, ones(4), "", 0, 0, messages.ResourceExhausted},

		{"empty", transport.Unframed, nil, "", 0, 1, 0},
		{"bytes", transport.Unframed, []byte{0x0a, 1, 'x', 9}, "\x0a\x01x", 3, 0, 0},
		{"part of bytes", transport.Unframed, []byte{0x0a, 3, 'x'}, "", 0, 5, 0},
		{"tag alone", transport.Unframed, []byte{0x0a}, "", 0, 2, 0},
		{"varint", transport.Unframed, []byte{0x08, 0x96, 0x01, 7}, "\x08\x96\x01", 3, 0, 0},
		{"part of a varint", transport.Unframed, []byte{0x08, 0x96}, "", 0, 3, 0},
		{"varint of 65 bits", transport.Unframed, append([]byte{0x08}, ones(10)...), "", 0, 0, messages.InvalidArgument},
		{"fixed32", transport.Unframed, []byte{0x0d, 1, 2, 3, 4, 5}, "\x0d\x01\x02\x03\x04", 5, 0, 0},
		{"part of a fixed32", transport.Unframed, []byte{0x0d, 1}, "", 0, 5, 0},
		{"fixed64", transport.Unframed, []byte{0x09, 1, 2, 3, 4, 5, 6, 7, 8}, "\x09\x01\x02\x03\x04\x05\x06\x07\x08", 9, 0, 0},
		{"field 0", transport.Unframed, []byte{0x02, 0}, "", 0, 0, messages.InvalidArgument},
		{"largest field", transport.Unframed, append(protowire.AppendTag(nil, 1<<29-1, 2), 0), "\xfa\xff\xff\xff\x0f\x00", 6, 0, 0},
		{"field over that", transport.Unframed, protowire.AppendVarint(nil, 1<<32|2), "", 0, 0, messages.InvalidArgument},
		{"tag of 65 bits", transport.Unframed, ones(10), "", 0, 0, messages.InvalidArgument},
		{"start of a group", transport.Unframed, []byte{0x0b}, "", 0, 0, messages.InvalidArgument},
		{"end of a group", transport.Unframed, []byte{0x0c}, "", 0, 0, messages.InvalidArgument},
		{"wire type 6", transport.Unframed, []byte{0x0e}, "", 0, 0, messages.InvalidArgument},
		{"wire type 7", transport.Unframed, []byte{0x0f}, "", 0, 0, messages.InvalidArgument},
		{"at the limit with its tag", transport.Unframed, []byte{0x0a, 98}, "", 0, 100, 0},
		{"over the limit with its tag", transport.Unframed, []byte{0x0a, 99}, "", 0, 0, messages.ResourceExhausted},
		{"length of 64 bits", transport.Unframed, append(append([]byte{0x0a}, ones(9)...), 1), "", 0, 0, messages.ResourceExhausted},
		{"length of 65 bits", transport.Unframed, append(append([]byte{0x0a}, ones(9)...), 2), "", 0, 0, messages.InvalidArgument},
	} {
		payload, n, need, err := c.framing.Next(c.buf, max)
		if string(payload) != c.payload || n != c.n || need != c.need {
			t.Errorf("%s, %s: %q, n %d, need %d; want %q, %d, %d", c.framing.Name(), c.name, payload, n, need, c.payload, c.n, c.need)
		}
		if c.code == 0 && err != nil || c.code != 0 && !isStatus(err, c.code) {
			t.Errorf("%s, %s: %v; want %v", c.framing.Name(), c.name, err, c.code)
		}
	}
}

func isStatus(err error, code messages.Code) bool {
	_, ok := err.(*messages.Status)
	return ok && errors.Is(err, code)
}

// TestLargestFrame checks that nothing overflows at the largest limit there is.
func TestLargestFrame(t *testing.T) {
	for _, f := range all {
		for size := range 3 {
			size = math.MaxInt32 - size
			head := f.AppendHeader(nil, size)
			want := len(head) + size
			if f == transport.Unframed {
				head = protowire.AppendVarint(protowire.AppendTag(nil, 1, 2), uint64(size-6))
				want = size
			}
			if _, n, need, err := f.Next(head, math.MaxInt32); n != 0 || need != want || err != nil {
				t.Errorf("%s of %d: n %d, need %d, %v; want need %d", f.Name(), size, n, need, err, want)
			}
		}
	}
}
