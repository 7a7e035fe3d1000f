package load_test

import (
	"testing"
	"time"

	"github.com/understudy-go/understudy/internal/load"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/encoding/protodelim"
)

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

// The same reply may be encoded in another way.
func TestOtherEncoding(t *testing.T) {
	u := answer(t, func(n int, right []byte) ([]byte, bool) { return otherEncoding(right), true })
	c := short(8)
	c.Grace = patience
	clean(t, run(t, u, c))
}

// otherEncoding encodes the reply to an echo of 32 bytes with lengths that are varints of more bytes than needed.
func otherEncoding(right []byte) []byte {
	const size = 32
	text := right[len(right)-size:]
	return append([]byte{size + 6, 1<<3 | 2, 0x80 | (size + 3), 0, 1<<3 | 2, 0x80 | size, 0}, text...)
}

// Replies may come in any pieces: the right ones, errors, and those in another encoding.
func TestPieces(t *testing.T) {
	for size := 1; size < 100; size += 7 {
		u := answerInPieces(t, size, func(n int, right []byte) ([]byte, bool) {
			switch n % 5 {
			case 1:
				return errorReply(t, int32(messages.Unavailable)), true
			case 3:
				return otherEncoding(right), true
			}
			return right, true
		})
		c := short(8)
		c.Duration, c.Grace = 20*time.Millisecond, patience
		r := run(t, u, c)
		fifth := r.Requests / 5
		if n := r.Codes["UNAVAILABLE"]; n < fifth || n > fifth+1 || n != r.Errors || r.Replies != r.Requests || r.Problem != "" {
			t.Errorf("pieces of %d: %+v", size, *r)
		}
	}
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

// A reply to another connection does not pass, although all connections send the same exchanges.
func TestOtherConnectionsReply(t *testing.T) {
	there, back := make(chan []byte), make(chan []byte)
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		if n != 20 {
			return right, true
		}
		select {
		case there <- right:
			return <-back, true
		case other := <-there:
			back <- right
			return other, true
		}
	})
	c := short(1)
	c.Connections, c.Duration = 2, time.Second
	c.Grace = patience
	r := run(t, u, c)
	if r.Misplaced != 2 || r.Wrong != 0 || r.Unanswered != 0 || r.Lost != 0 {
		t.Errorf("%+v", *r)
	}
}
