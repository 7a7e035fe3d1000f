package transport_test

import (
	"bufio"
	"bytes"
	"errors"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// fuzzMax is small enough for the fuzzer to get over it.
const fuzzMax = 300

func FuzzDelimited(f *testing.F) {
	f.Add([]byte{3, 0x0a, 1, 'x', 0, 0x80, 1})
	f.Add(bytes.Repeat([]byte{0xff}, 11))
	f.Add([]byte("\x03\xe8\x000")) // a tag that is longer than it needs to be
	f.Fuzz(func(t *testing.T, buf []byte) {
		checkNext(t, transport.Delimited, buf)
		payload, n, _, err := transport.Delimited.Next(buf, fuzzMax)
		// protodelim is the oracle: of the size, and of the bytes it takes. It goes on to decode the payload, which keeps
		// every field as an unknown one, so that what it decoded can be compared too.
		var taken, own emptypb.Empty
		source := bytes.NewReader(buf)
		buffered := bufio.NewReader(source)
		oracle := protodelim.UnmarshalOptions{MaxSize: fuzzMax}.UnmarshalFrom(buffered, &taken)
		var large *protodelim.SizeTooLargeError
		if errors.As(oracle, &large) != isStatus(err, messages.ResourceExhausted) {
			t.Fatalf("%x: %v; protodelim: %v", buf, err, oracle)
		}
		if n == 0 {
			if oracle == nil {
				t.Fatalf("%x: no frame, %v; protodelim reads one", buf, err)
			}
			return
		}
		undecodable := proto.Unmarshal(payload, &own)
		switch {
		case (oracle == nil) != (undecodable == nil):
			t.Fatalf("%x: payload %x, %v; protodelim: %v", buf, payload, undecodable, oracle)
		case n != len(buf)-source.Len()-buffered.Buffered():
			t.Fatalf("%x: %d bytes; protodelim: all but %d", buf, n, source.Len()+buffered.Buffered())
		case oracle == nil && !bytes.Equal(taken.ProtoReflect().GetUnknown(), own.ProtoReflect().GetUnknown()):
			t.Fatalf("%x: payload %x; protodelim: %v", buf, payload, &taken)
		}
	})
}

func FuzzLength32(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 'x', 0, 0})
	f.Fuzz(func(t *testing.T, buf []byte) { checkNext(t, transport.Length32, buf) })
}

func FuzzUnframed(f *testing.F) {
	f.Add([]byte{0x0a, 1, 'x', 0x08, 0x96, 1, 0x0d, 1, 2, 3, 4})
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, buf []byte) {
		checkNext(t, transport.Unframed, buf)
		_, n, _, err := transport.Unframed.Next(buf, fuzzMax)
		number, kind, size := protowire.ConsumeField(buf)
		group := kind == protowire.StartGroupType || kind == protowire.EndGroupType
		switch {
		case n > 0 && n != size:
			t.Fatalf("%x: %d bytes; protowire: %d", buf, n, size)
		case n == 0 && size > 0 && !group && number <= protowire.MaxValidNumber && !isStatus(err, messages.ResourceExhausted):
			t.Fatalf("%x: %v; protowire: a field of %d bytes", buf, err, size)
		case isStatus(err, messages.ResourceExhausted) && size > 0 && size <= fuzzMax:
			t.Fatalf("%x: %v; protowire: %d", buf, err, size)
		}
	})
}

// checkNext checks what holds for any framing: bounds, and that a decision on a prefix stays the same with more bytes.
func checkNext(t *testing.T, f transport.Framing, buf []byte) {
	type decision struct {
		payload string
		n       int
		err     error
	}
	var made *decision
	for size := range len(buf) + 1 {
		payload, n, need, err := f.Next(buf[:size:size], fuzzMax)
		if n < 0 || n > size || len(payload) > n || len(payload) > fuzzMax || (n > 0 && err != nil) {
			t.Fatalf("%s, %x: n %d, payload %x, %v", f.Name(), buf[:size], n, payload, err)
		}
		if n > 0 && len(payload) > 0 && &payload[0] != &buf[n-len(payload)] {
			t.Fatalf("%s, %x: the payload is not at the end of the frame", f.Name(), buf[:size])
		}
		if n == 0 && err == nil {
			if need <= size || need > fuzzMax+20 {
				t.Fatalf("%s, %x: need %d", f.Name(), buf[:size], need)
			}
			for more := size; more < need && more <= len(buf); more++ {
				if _, n, _, _ := f.Next(buf[:more:more], fuzzMax); n > 0 {
					t.Fatalf("%s, %x: needs %d, but a frame is found in %d", f.Name(), buf[:size], need, more)
				}
			}
		}
		if err != nil && !isStatus(err, messages.ResourceExhausted) && !isStatus(err, messages.InvalidArgument) {
			t.Fatalf("%s, %x: %v", f.Name(), buf[:size], err)
		}
		now := &decision{string(payload), n, err}
		if made != nil && !reflect.DeepEqual(made, now) {
			t.Fatalf("%s, %x: %+v, was %+v", f.Name(), buf[:size], now, made)
		}
		if n > 0 || err != nil {
			made = now
		}
	}
}
