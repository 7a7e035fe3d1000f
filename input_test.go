package understudy_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// raw frames bytes that need not be a message.
func raw(f transport.Framing, payload ...byte) []byte {
	return append(f.AppendHeader(nil, len(payload)), payload...)
}

// The bad requests that cost no more than an error reply: what follows is served.
func TestBadRequestsKeepTheConnection(t *testing.T) {
	invalidUTF8 := []byte{0x0a, 3, 0x0a, 1, 0xff}
	unknownArm := protowire.AppendBytes(protowire.AppendTag(nil, 9, protowire.BytesType), []byte("x"))
	unknownNumber := protowire.AppendVarint(protowire.AppendTag(nil, 9, protowire.VarintType), 7)
	truncatedInner := []byte{0x12, 1, 0x08} // an AddRequest that ends in a tag
	wrongInnerType := []byte{0x12, 2, 0x0a, 9}
	cases := []struct {
		name    string
		payload []byte
		want    messages.Code
		bare    bool // can be said without framing
	}{
		{"empty", nil, messages.InvalidArgument, false},
		{"garbage", []byte{0xff, 0xff, 0xff}, messages.InvalidArgument, false},
		{"invalid UTF-8", invalidUTF8, messages.InvalidArgument, true},
		{"unknown arm", unknownArm, messages.Unimplemented, true},
		{"unknown number", unknownNumber, messages.Unimplemented, true},
		{"truncated message", truncatedInner, messages.InvalidArgument, true},
		{"message of another shape", wrongInnerType, messages.InvalidArgument, true},
		{"arm longer than the frame", []byte{0x0a, 100, 'x'}, messages.InvalidArgument, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			everyFraming(t, understudy.Config{}, func(t *testing.T, h *host, p *peer) {
				if p.framing == transport.Unframed && !c.bare {
					return
				}
				other := h.dial()
				p.send(raw(p.framing, c.payload...)...)
				p.send(p.frame(addRequest(2, 40))...)
				p.want(errorReply(c.want))
				p.want(addReply(42))
				other.send(other.frame(echoRequest("still here"))...)
				other.want(echoReply("still here"))
				if got := h.Counts(); got.Codes[c.want] != 1 || got.Decoded != 3 {
					t.Errorf("counts: %+v", got)
				}
			})
		})
	}
}

// Two arms in one frame are what google.golang.org/protobuf makes of them; without framing they are two requests.
func TestTwoArms(t *testing.T) {
	echo, _ := proto.Marshal(echoRequest("first"))
	add, _ := proto.Marshal(addRequest(1, 2))
	addA, _ := proto.Marshal(addRequest(40, 0))
	addB, _ := proto.Marshal(addRequest(0, 2))
	everyFraming(t, understudy.Config{}, func(t *testing.T, h *host, p *peer) {
		p.send(raw(p.framing, append(bytes.Clone(echo), add...)...)...)
		if p.framing == transport.Unframed {
			p.want(echoReply("first"))
		}
		p.want(addReply(3)) // the last arm wins
		p.send(raw(p.framing, append(bytes.Clone(addA), addB...)...)...)
		if p.framing == transport.Unframed {
			p.want(addReply(40))
			p.want(addReply(2))
		} else {
			p.want(addReply(42)) // the same arm merges
		}
	})
}

func TestAddOverflows(t *testing.T) {
	everyFraming(t, understudy.Config{}, func(t *testing.T, h *host, p *peer) {
		for _, c := range []struct {
			a, b int32
			want *messages.ServerMessage
		}{
			{math.MaxInt32, 1, errorReply(messages.OutOfRange)},
			{math.MinInt32, -1, errorReply(messages.OutOfRange)},
			{math.MaxInt32, math.MinInt32, addReply(-1)},
			{math.MaxInt32, 0, addReply(math.MaxInt32)},
			{math.MinInt32, 0, addReply(math.MinInt32)},
		} {
			p.send(p.frame(addRequest(c.a, c.b))...)
			p.want(c.want)
		}
	})
}

// What cannot be cut gets one error in its place, after the replies to what came before, and then a clean end.
func TestUncuttableStreamsEndCleanly(t *testing.T) {
	const limit = 1000
	elevenBytes := bytes.Repeat([]byte{0x80}, 11)
	big := binary.BigEndian.AppendUint32(nil, limit+1)
	cases := []struct {
		name    string
		framing transport.Framing
		bytes   []byte
		want    messages.Code
	}{
		{"varint of eleven bytes", transport.Delimited, elevenBytes, messages.InvalidArgument},
		{"over the limit", transport.Delimited, protowire.AppendVarint(nil, limit+1), messages.ResourceExhausted},
		{"the largest length there is", transport.Delimited, protowire.AppendVarint(nil, math.MaxUint64), messages.ResourceExhausted},
		{"over the limit", transport.Length32, big, messages.ResourceExhausted},
		{"the largest length there is", transport.Length32, []byte{255, 255, 255, 255}, messages.ResourceExhausted},
		{"varint of eleven bytes", transport.Unframed, append([]byte{0x0a}, elevenBytes...), messages.InvalidArgument},
		{"over the limit", transport.Unframed, protowire.AppendVarint([]byte{0x0a}, limit+1), messages.ResourceExhausted},
		{"end of a group", transport.Unframed, []byte{0x0c}, messages.InvalidArgument},
		{"field number zero", transport.Unframed, []byte{0x02}, messages.InvalidArgument},
	}
	for _, c := range cases {
		t.Run(c.framing.Name()+"/"+c.name, func(t *testing.T) {
			h := serve(t, understudy.Config{MaxFrame: limit, Listen: []string{"tcp://127.0.0.1:0?framing=" + c.framing.Name()}})
			p, other := h.dial(), h.dial()
			p.send(append(p.frame(echoRequest("before")), c.bytes...)...)
			p.want(echoReply("before"))
			p.want(errorReply(c.want))
			// The peer goes on sending: this must not turn into a reset.
			p.send(bytes.Repeat([]byte("more "), 20_000)...)
			p.wantEnd()
			p.Close()
			other.send(other.frame(addRequest(2, 40))...)
			other.want(addReply(42))
			until(t, "the connection is gone", func() bool { return h.Counts().Connections == 1 })
			if got := h.Counts(); got.PeerErrors != 0 || got.SocketErrors != 0 || got.BytesDiscarded == 0 {
				t.Errorf("counts: %+v", got)
			}
		})
	}
}

// The largest frame that is allowed is served, in whatever pieces it comes.
func TestFrameAtTheLimit(t *testing.T) {
	everyFraming(t, understudy.Config{MaxFrame: 1 << 20}, func(t *testing.T, h *host, p *peer) {
		text := string(bytes.Repeat([]byte("x"), 1<<20-8))
		request := p.frame(echoRequest(text))
		for len(request) > 0 {
			n := min(len(request), 77_777)
			p.send(request[:n]...)
			request = request[n:]
		}
		p.want(echoReply(text))
	})
}

// A length that promises more than comes is a partial frame: the end of input ends it, without a reply.
func TestLyingLength(t *testing.T) {
	everyFraming(t, understudy.Config{}, func(t *testing.T, h *host, p *peer) {
		request := p.frame(echoRequest("this will be cut short"))
		p.send(append(p.frame(addRequest(2, 40)), request[:len(request)-3]...)...)
		p.want(addReply(42))
		p.closeWrite()
		p.wantEnd()
		r := h.stop()
		if r.Counts.BytesDiscarded != int64(len(request)-3) || r.Counts.Decoded != 1 {
			t.Errorf("counts: %+v", r.Counts)
		}
	})
}

// A request that comes a byte at a time is served, however it is split.
func TestByteByByte(t *testing.T) {
	everyFraming(t, understudy.Config{}, func(t *testing.T, h *host, p *peer) {
		for _, b := range append(p.frame(echoRequest("slowly")), p.frame(addRequest(-1, -2))...) {
			p.send(b)
		}
		p.want(echoReply("slowly"))
		p.want(addReply(-3))
	})
}

// A peer that takes too long over one request is closed, although it never stops sending; others are served meanwhile.
func TestDribbleIsEnded(t *testing.T) {
	everyFraming(t, understudy.Config{FrameTimeout: 200 * time.Millisecond}, func(t *testing.T, h *host, p *peer) {
		other := h.dial()
		request := p.frame(echoRequest(string(bytes.Repeat([]byte("x"), 100_000))))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.wantEnd()
		}()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				// Once the server has closed, writing may fail: only the end that the reader sees matters.
				_, _ = p.Write(request[i%100 : i%100+1])
				continue
			case <-ended:
			}
			break
		}
		p.Close()
		other.send(other.frame(addRequest(2, 40))...)
		other.want(addReply(42))
		until(t, "the connection is gone", func() bool { return h.Counts().Connections == 1 })
		if got := h.Counts(); got.Timeouts != 1 {
			t.Errorf("counts: %+v", got)
		}
	})
}

// Who connects and says nothing is closed.
func TestSilenceIsEnded(t *testing.T) {
	h := serve(t, understudy.Config{FirstByteTimeout: 50 * time.Millisecond})
	p := h.dial()
	p.wantEnd()
	p.Close()
	until(t, "the connection is gone", func() bool { return h.Counts().Connections == 0 })
	if got := h.Counts(); got.Timeouts != 1 {
		t.Errorf("counts: %+v", got)
	}
}

// Who has spoken and says nothing more is closed, but not while it waits for a reply.
func TestIdleIsEnded(t *testing.T) {
	h := serve(t, understudy.Config{IdleTimeout: 50 * time.Millisecond, Faults: []string{"slow worker/* delay=300ms"}})
	p := h.dial()
	p.send(p.frame(addRequest(2, 40))...)
	p.want(addReply(42))
	p.wantEnd()
	if got := h.Counts(); got.Timeouts != 1 || got.Answered != 1 {
		t.Errorf("counts: %+v", got)
	}
}

// Half-closing is not disconnecting: every reply still comes.
func TestHalfCloseWithRepliesPending(t *testing.T) {
	everyFraming(t, understudy.Config{Faults: []string{"slow worker/* delay=20ms"}}, func(t *testing.T, h *host, p *peer) {
		var all []byte
		for i := range 10 {
			m, _ := nth(0, i)
			all = append(all, p.frame(m)...)
		}
		p.send(all...)
		p.closeWrite()
		for i := range 10 {
			_, w := nth(0, i)
			p.want(w)
		}
		p.wantEnd()
	})
}

// A connection that ends in a bare FIN with nothing said is nobody's error.
func TestConnectAndClose(t *testing.T) {
	h := serve(t, understudy.Config{})
	p := h.dial()
	p.closeWrite()
	if _, err := io.ReadAll(p); err != nil {
		t.Error(err)
	}
	c := h.stop().Counts
	if c.Accepted != 1 || c.PeerErrors != 0 || c.SocketErrors != 0 || c.Timeouts != 0 {
		t.Errorf("counts: %+v", c)
	}
}
