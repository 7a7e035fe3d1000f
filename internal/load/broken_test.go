package load_test

import (
	"bufio"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/understudy-go/understudy/internal/load"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protowire"
)

// breakServer starts a server that does with each connection what serve does, on a goroutine of its own.
func breakServer(t testing.TB, serve func(net.Conn)) transport.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return parse(t, "tcp://"+l.Addr().String())
}

// answer starts a server that answers the n-th request of each connection with what reply returns. It is given the right
// reply: an echo's is its request. It closes the connection if reply is not ok.
func answer(t testing.TB, reply func(n int, right []byte) (out []byte, ok bool)) transport.URL {
	return breakServer(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		w := bufio.NewWriter(c)
		for n := 0; ; n++ {
			if r.Buffered() == 0 && w.Flush() != nil {
				return
			}
			frame, err := nextFrame(r)
			if err != nil {
				return
			}
			out, ok := reply(n, frame)
			w.Write(out)
			if !ok {
				w.Flush()
				return
			}
		}
	})
}

func nextFrame(r *bufio.Reader) ([]byte, error) {
	var frame []byte
	for {
		b, err := r.ReadByte()
		if err != nil {
			return nil, err
		}
		if frame = append(frame, b); b < 0x80 {
			break
		}
	}
	size, header := protowire.ConsumeVarint(frame)
	frame = append(frame, make([]byte, size)...)
	_, err := io.ReadFull(r, frame[header:])
	return frame, err
}

// short is a load on a server that misbehaves.
func short(depth int) load.Config {
	return load.Config{Connections: 1, Depth: depth, Duration: 200 * time.Millisecond, Grace: 200 * time.Millisecond}
}

func TestSwappedReplies(t *testing.T) {
	var held []byte
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		switch n {
		case 20:
			held = right
			return nil, true
		case 21:
			return append(right, held...), true
		}
		return right, true
	})
	r := run(t, u, short(8))
	if r.Misplaced != 2 || r.Wrong != 0 || r.Unanswered != 0 || r.Lost != 0 || r.Replies != r.Requests {
		t.Errorf("%+v", *r)
	}
	mentions(t, r.Problem, "connection 0: reply 20 is another request's")
}

func TestWrongContent(t *testing.T) {
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		if n == 33 {
			right[len(right)-1] ^= 1
		}
		return right, true
	})
	for _, depth := range []int{1, 16} {
		r := run(t, u, short(depth))
		if r.Wrong != 1 || r.Misplaced != 0 || r.Lost != 0 || r.Replies != r.Requests {
			t.Errorf("%+v", *r)
		}
		mentions(t, r.Problem, "reply 33 is wrong")
	}
}

func TestDroppedReply(t *testing.T) {
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		if n == 33 {
			return nil, true
		}
		return right, true
	})
	r := run(t, u, short(1))
	if r.Requests != 34 || r.Unanswered != 1 || r.Wrong+r.Misplaced != 0 {
		t.Errorf("depth 1: %+v", *r)
	}
	r = run(t, u, short(8))
	if r.Misplaced != r.Requests-34 || r.Unanswered != 1 || r.Wrong != 0 {
		t.Errorf("depth 8: %+v", *r)
	}
}

func TestReplyTwice(t *testing.T) {
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		if n == 33 {
			return append(right, right...), true
		}
		return right, true
	})
	r := run(t, u, short(1))
	if r.Surplus+r.Misplaced == 0 || r.Wrong != 0 {
		t.Errorf("%+v", *r)
	}
}

func TestClosesMidway(t *testing.T) {
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		if n == 33 {
			return right[:5], false
		}
		return right, true
	})
	r := run(t, u, short(8))
	if r.Lost != 1 || r.Unanswered < 1 || r.Unanswered > 8 || r.Requests != r.Replies+r.Unanswered || !r.Interrupted {
		t.Errorf("%+v", *r)
	}
	mentions(t, r.Problem, "lost after 33 replies")
}

// What cannot be cut into replies ends the connection.
func TestNoFrames(t *testing.T) {
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		if n == 33 {
			return []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), true
		}
		return right, true
	})
	r := run(t, u, short(8))
	if r.Lost != 1 || r.Wrong != 1 {
		t.Errorf("%+v", *r)
	}
	mentions(t, r.Problem, "reply 33 cannot be cut")
}

func TestErrorReplies(t *testing.T) {
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		switch n % 100 {
		case 7:
			return errorReply(t, int32(messages.Internal)), true
		case 9:
			return errorReply(t, 99), true
		}
		return right, true
	})
	r := run(t, u, short(8))
	hundreds := r.Requests / 100
	internal, other := r.Codes["INTERNAL"], r.Codes["other"]
	if r.Wrong+r.Misplaced+r.Lost+r.Unanswered != 0 || r.Errors != internal+other || len(r.Codes) != 2 ||
		internal < hundreds || internal > hundreds+1 || other < hundreds || other > hundreds+1 {
		t.Errorf("%+v", *r)
	}
}

func errorReply(t testing.TB, code int32) []byte {
	m := &messages.ServerMessage{Message: &messages.ServerMessage_Error{Error: &messages.Error{Code: code, Message: "no"}}}
	var out writer
	if _, err := protodelim.MarshalTo(&out, m); err != nil {
		t.Error(err)
	}
	return out
}

type writer []byte

func (w *writer) Write(b []byte) (int, error) {
	*w = append(*w, b...)
	return len(b), nil
}

// The same reply may be encoded in another way: here its lengths are varints of more bytes than needed.
func TestOtherEncoding(t *testing.T) {
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		const size = 32
		text := right[len(right)-size:]
		return append([]byte{size + 6, 1<<3 | 2, 0x80 | (size + 3), 0, 1<<3 | 2, 0x80 | size, 0}, text...), true
	})
	c := short(8)
	c.Grace = patience
	clean(t, run(t, u, c))
}

// Replies may come in any pieces.
func TestPieces(t *testing.T) {
	u := breakServer(t, func(c net.Conn) {
		b := make([]byte, 64)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			for i := range n {
				if _, err := c.Write(b[i : i+1]); err != nil {
					return
				}
			}
		}
	})
	c := short(8)
	c.Grace = patience
	clean(t, run(t, u, c))
}

// Requests that a socket does not take at once are written when it does.
func TestLargeRequests(t *testing.T) {
	u := copyBytes(t)
	c := short(8)
	c.Grace = patience
	c.Protocol = load.EchoAdd(nil, load.Mix{Size: load.Sizes{Least: 1 << 20, Most: 1 << 20}})
	r := run(t, u, c)
	clean(t, r)
	if r.Sent < (r.Requests-8)<<20 { // what was in flight at the end was sent after it
		t.Errorf("%d bytes in %d requests", r.Sent, r.Requests)
	}
	c = short(8)
	c.Grace = patience
	c.Protocol = load.EchoAdd(nil, load.Mix{Size: load.Sizes{Least: 0, Most: 300_000}})
	c.Rate = 2000
	clean(t, run(t, u, c))
}
