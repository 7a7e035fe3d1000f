// Package peers_test holds the peers to the work that they are compared for.
package peers_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-go/understudy/bench/peers/bytecopy"
	"github.com/understudy-go/understudy/bench/peers/codec"
	"github.com/understudy-go/understudy/bench/peers/plain"
	"github.com/understudy-go/understudy/messages"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what should come at once.
const patience = 10 * time.Second

// both are the peers that look at requests.
var both = map[string]func(net.Listener) error{"plain": plain.Serve, "codec": codec.Serve}

// dial serves on a listener of its own and connects to it.
func dial(t *testing.T, serve func(net.Listener) error) *net.TCPConn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		if err := serve(l); err != nil {
			t.Error(err)
		}
	})
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		nc.Close()
		l.Close()
		served.Wait()
	})
	return nc.(*net.TCPConn)
}

func echo(content string) *messages.ClientMessage {
	return &messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: content}}}
}

func add(a, b int32) *messages.ClientMessage {
	return &messages.ClientMessage{Message: &messages.ClientMessage_AddRequest{AddRequest: &messages.AddRequest{A: a, B: b}}}
}

func echoed(content string) *messages.ServerMessage {
	return &messages.ServerMessage{Message: &messages.ServerMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: content}}}
}

func sum(n int32) *messages.ServerMessage {
	return &messages.ServerMessage{Message: &messages.ServerMessage_AddResponse{AddResponse: &messages.AddResponse{Result: n}}}
}

func framed(t *testing.T, m proto.Message) []byte {
	t.Helper()
	var b strings.Builder
	if _, err := protodelim.MarshalTo(&b, m); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String())
}

// exchanges are requests with their replies: the sizes go past every buffer.
func exchanges() (requests []*messages.ClientMessage, replies []*messages.ServerMessage) {
	for _, size := range []int{0, 1, 32, 127, 128, 4093, 4094, 4095, 4096, 5000, 65535, 65536, 1 << 20, 3, 0, 4<<20 - 16, 1} {
		content := strings.Repeat("ü", size/2) + strings.Repeat("x", size%2)
		requests, replies = append(requests, echo(content), add(int32(size), -7)), append(replies, echoed(content), sum(int32(size)-7))
	}
	return requests, replies
}

func TestEveryRequestIsAnsweredInItsPlace(t *testing.T) {
	for name, serve := range both {
		t.Run(name, func(t *testing.T) {
			nc := dial(t, serve)
			requests, replies := exchanges()
			var sending sync.WaitGroup
			sending.Go(func() {
				for _, m := range requests {
					if _, err := protodelim.MarshalTo(nc, m); err != nil {
						t.Error(err)
					}
				}
				nc.CloseWrite()
			})
			in := bufio.NewReader(nc)
			for i, want := range replies {
				var got messages.ServerMessage
				if err := (protodelim.UnmarshalOptions{MaxSize: 8 << 20}).UnmarshalFrom(in, &got); err != nil {
					t.Fatalf("reply %d: %v", i, err)
				}
				if !proto.Equal(&got, want) {
					t.Fatalf("reply %d is %.80s, want %.80s", i, got.String(), want.String())
				}
			}
			if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
				t.Errorf("after the last reply comes %v, want EOF", err)
			}
			sending.Wait()
		})
	}
}

// Many requests of one write, and one request in many: TCP cuts where it likes.
func TestHoweverTheBytesCome(t *testing.T) {
	var stream []byte
	var want []*messages.ServerMessage
	for i := range int32(300) {
		stream = append(append(stream, framed(t, echo(strings.Repeat("y", int(i))))...), framed(t, add(i, i))...)
		want = append(want, echoed(strings.Repeat("y", int(i))), sum(2*i))
	}
	for name, serve := range both {
		for _, piece := range []int{1, 7, 4096, len(stream)} {
			nc := dial(t, serve)
			var sending sync.WaitGroup
			sending.Go(func() {
				for b := stream; len(b) > 0; b = b[min(piece, len(b)):] {
					if _, err := nc.Write(b[:min(piece, len(b))]); err != nil {
						t.Error(err)
						return
					}
				}
			})
			in := bufio.NewReader(nc)
			for i, want := range want {
				var got messages.ServerMessage
				if err := protodelim.UnmarshalFrom(in, &got); err != nil || !proto.Equal(&got, want) {
					t.Fatalf("%s, pieces of %d: reply %d is %v (%v), want %v", name, piece, i, &got, err, want)
				}
			}
			sending.Wait()
		}
	}
}

// The peers answer bad input with the server's codes, so that they are not faster for doing less.
func TestBadInput(t *testing.T) {
	for name, serve := range both {
		for _, c := range []struct {
			what  string
			frame []byte
			code  messages.Code
			ends  bool
		}{
			{"nothing", []byte{0}, messages.InvalidArgument, false},
			{"no message", []byte{2, 0xff, 0xff}, messages.InvalidArgument, false},
			{"invalid UTF-8", []byte{5, 0x0a, 3, 0x0a, 1, 0xff}, messages.InvalidArgument, false},
			{"an unknown field", []byte{2, 0x78, 1}, messages.Unimplemented, false},
			{"a sum that does not fit", framed(t, add(1<<31-1, 1)), messages.OutOfRange, false},
			{"a frame that is too large", []byte{0x81, 0x80, 0x80, 0x02}, messages.ResourceExhausted, true},
			{"no length", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, messages.InvalidArgument, true},
		} {
			t.Run(name+"/"+c.what, func(t *testing.T) {
				nc := dial(t, serve)
				if _, err := nc.Write(append(framed(t, echo("before")), c.frame...)); err != nil {
					t.Fatal(err)
				}
				in := bufio.NewReader(nc)
				var got messages.ServerMessage
				if err := protodelim.UnmarshalFrom(in, &got); err != nil || !proto.Equal(&got, echoed("before")) {
					t.Fatalf("the request before it is answered %v (%v)", &got, err)
				}
				if err := protodelim.UnmarshalFrom(in, &got); err != nil || messages.Code(got.GetError().GetCode()) != c.code {
					t.Fatalf("it is answered %v (%v), want %s", &got, err, c.code)
				}
				if c.ends {
					if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
						t.Errorf("after that comes %v, want EOF", err)
					}
					return
				}
				if _, err := nc.Write(framed(t, echo("after"))); err != nil {
					t.Fatal(err)
				}
				if err := protodelim.UnmarshalFrom(in, &got); err != nil || !proto.Equal(&got, echoed("after")) {
					t.Fatalf("the request after it is answered %v (%v)", &got, err)
				}
			})
		}
	}
}

// Two arms, or an arm twice, are what google's decoder makes of them.
func TestUnusualFormsMeanTheSame(t *testing.T) {
	echoArm, addArm := framed(t, echo("one"))[1:], framed(t, add(40, 2))[1:]
	for name, serve := range both {
		nc := dial(t, serve)
		in := bufio.NewReader(nc)
		for _, payload := range [][]byte{
			append(append([]byte{}, echoArm...), addArm...),
			append(append([]byte{}, addArm...), echoArm...),
			append(append([]byte{}, echoArm...), echoArm...),
			append(append([]byte{}, addArm...), 0x12, 2, 0x08, 1),
		} {
			var request messages.ClientMessage
			if err := proto.Unmarshal(payload, &request); err != nil {
				t.Fatal(err)
			}
			want := echoed(request.GetEchoMessage().GetContent())
			if a := request.GetAddRequest(); a != nil {
				want = sum(a.A + a.B)
			}
			if _, err := nc.Write(append([]byte{byte(len(payload))}, payload...)); err != nil {
				t.Fatal(err)
			}
			var got messages.ServerMessage
			if err := protodelim.UnmarshalFrom(in, &got); err != nil || !proto.Equal(&got, want) {
				t.Errorf("%s: %x is answered %v (%v), want %v", name, payload, &got, err, want)
			}
		}
	}
}

func TestCopy(t *testing.T) {
	nc := dial(t, bytecopy.Serve)
	sent := []byte(strings.Repeat("0123456789", 300_000))
	var sending sync.WaitGroup
	sending.Go(func() {
		if _, err := nc.Write(sent); err != nil {
			t.Error(err)
		}
		nc.CloseWrite()
	})
	got, err := io.ReadAll(nc)
	if err != nil || string(got) != string(sent) {
		t.Errorf("%d bytes come back of %d (%v), or they are others", len(got), len(sent), err)
	}
	sending.Wait()
}
