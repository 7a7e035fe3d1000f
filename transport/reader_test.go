package transport_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// scripted is a connection without a raw descriptor whose input comes in the given pieces.
type scripted struct {
	net.Conn
	pieces [][]byte
}

func (s *scripted) Read(b []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.pieces[0])
	if s.pieces[0] = s.pieces[0][n:]; len(s.pieces[0]) == 0 {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

// randomMessages returns messages of mostly small and sometimes large sizes, each of which a framing can carry.
func randomMessages(rng *rand.Rand, f transport.Framing) [][]byte {
	msgs := make([][]byte, rng.IntN(40))
	for i := range msgs {
		size := rng.IntN(8)
		if rng.IntN(4) == 0 {
			size = rng.IntN(1500)
		}
		body := make([]byte, size)
		for j := range body {
			body[j] = byte(rng.Uint32())
		}
		if f != transport.Unframed {
			msgs[i] = body
			continue
		}
		number := protowire.Number(1 + rng.IntN(1<<rng.IntN(29)))
		switch rng.IntN(4) {
		case 0:
			msgs[i] = protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), rng.Uint64()>>rng.IntN(64))
		case 1:
			msgs[i] = protowire.AppendFixed32(protowire.AppendTag(nil, number, protowire.Fixed32Type), rng.Uint32())
		case 2:
			msgs[i] = protowire.AppendFixed64(protowire.AppendTag(nil, number, protowire.Fixed64Type), rng.Uint64())
		default:
			msgs[i] = protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), body)
		}
	}
	return msgs
}

// split cuts stream into random pieces; one way in four is a byte at a time.
func split(rng *rand.Rand, stream []byte) (pieces [][]byte) {
	most := 1 << rng.IntN(12)
	if rng.IntN(4) == 0 {
		most = 1
	}
	for len(stream) > 0 {
		n := min(1+rng.IntN(most), len(stream))
		pieces = append(pieces, stream[:n])
		stream = stream[n:]
	}
	return pieces
}

// collector reads frames and checks the bookkeeping of each Read.
type collector struct {
	t      *testing.T
	reader *transport.Reader
	bufs   *transport.Buffers
	in     transport.Input
	got    [][]byte
	bytes  int
	failed bool // the stream could not be cut; what was read after that is dropped
}

func (c *collector) read(limit int, wait bool) error {
	err := c.reader.Read(&c.in, limit, wait)
	if len(c.in.Frames) > limit || err != nil && c.in.Frames != nil || err == nil && len(c.in.Frames) == 0 && c.in.Err == nil {
		c.t.Fatalf("%d frames for a limit of %d, with %v, %v", len(c.in.Frames), limit, c.in.Err, err)
	}
	for _, f := range c.in.Frames {
		c.got = append(c.got, bytes.Clone(c.in.Buf[f.Start:f.End]))
	}
	c.bytes += c.in.Bytes
	c.failed = c.failed || c.in.Err != nil
	if held := c.reader.Received() - int64(c.bytes); held != int64(c.reader.Held()) && !c.failed {
		c.t.Fatalf("received %d, returned %d, held %d", c.reader.Received(), c.bytes, c.reader.Held())
	}
	for i := range c.in.Buf[:cap(c.in.Buf)] { // whoever still has this buffer will notice
		c.in.Buf[:cap(c.in.Buf)][i] = 0xee
	}
	c.bufs.Put(c.in.Buf)
	return err
}

func (c *collector) check(want [][]byte) {
	c.t.Helper()
	if !slices.EqualFunc(c.got, want, bytes.Equal) {
		c.t.Fatalf("%d frames, want %d: %.200x, want %.200x", len(c.got), len(want), c.got, want)
	}
	if c.bufs.Held() != 0 {
		c.t.Fatalf("%d buffers held", c.bufs.Held())
	}
}

// TestAnySplit is the property that matters most: however the stream is cut and joined, and whatever the sizes of
// buffers and limits, the frames are those that were sent.
func TestAnySplit(t *testing.T) {
	for seed := range uint64(600) {
		rng := rand.New(rand.NewPCG(seed, 1))
		for _, f := range all {
			msgs := randomMessages(rng, f)
			pieces := split(rng, frames(f, msgs...))
			size := 16 << rng.IntN(8)
			if rng.IntN(3) == 0 {
				size = 1 + rng.IntN(40)
			}
			limit := 1 + rng.IntN(30)
			name := fmt.Sprintf("seed %d, %s, buffers of %d, limit %d", seed, f.Name(), size, limit)

			bufs := transport.NewBuffers(size)
			r := transport.NewReader(transport.NewConn(&scripted{pieces: slices.Clone(pieces)}), f, 2000, bufs, transport.Timeouts{})
			c := &collector{t: t, reader: r, bufs: bufs}
			var err error
			for err == nil {
				err = c.read(limit, true)
			}
			if err != io.EOF {
				t.Fatalf("%s: %v", name, err)
			}
			c.check(msgs)
		}
	}
}

// TestAnySplitOfASocket is the same over a descriptor, where each piece is read until the socket would block.
func TestAnySplitOfASocket(t *testing.T) {
	client, server := pair(t, "unix")
	conn := transport.NewConn(server)
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 2))
		f := all[seed%3]
		msgs := randomMessages(rng, f)
		bufs := transport.NewBuffers(1 + rng.IntN(300))
		c := &collector{t: t, reader: transport.NewReader(conn, f, 2000, bufs, transport.Timeouts{}), bufs: bufs}
		for _, piece := range split(rng, frames(f, msgs...)) {
			mustWrite(t, client, piece)
			var err error
			for err == nil {
				err = c.read(1+rng.IntN(9), false)
			}
			if err != transport.ErrWouldBlock {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if bufs.Held() != 0 || conn.Unread() != 0 {
				t.Fatalf("seed %d: %d buffers held, %d bytes unread", seed, bufs.Held(), conn.Unread())
			}
		}
		c.check(msgs)
	}
}

// TestEnds checks the end of the stream between frames and inside of one.
func TestEnds(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for stream, want := range map[string]error{"": io.EOF, "\x01a": io.EOF, "\x01a\x02b": io.ErrUnexpectedEOF, "\x80": io.ErrUnexpectedEOF} {
			client, server := pair(t, network)
			bufs := transport.NewBuffers(64)
			c := &collector{t: t, reader: transport.NewReader(transport.NewConn(server), transport.Delimited, 9, bufs, transport.Timeouts{}), bufs: bufs}
			mustWrite(t, client, []byte(stream))
			client.Close()
			var err error
			for err == nil {
				err = c.read(8, true)
			}
			if err != want || bufs.Held() != 0 || !transport.ExpectedOnClose(err) {
				t.Errorf("%s, %q: %v, want %v; %d buffers held", network, stream, err, want, bufs.Held())
			}
		}
	}
}

// TestBadFrame checks that the frames before an error come with it, also when a limit parts them.
func TestBadFrame(t *testing.T) {
	for _, limit := range []int{1, 2, 3, 9} {
		client, server := pair(t, "unix")
		bufs := transport.NewBuffers(64)
		c := &collector{t: t, reader: transport.NewReader(transport.NewConn(server), transport.Delimited, 9, bufs, transport.Timeouts{}), bufs: bufs}
		mustWrite(t, client, []byte("\x01a\x01b\x0amore than nine"))
		for c.in.Err == nil {
			if err := c.read(limit, true); err != nil {
				t.Fatal(err)
			}
		}
		if !isStatus(c.in.Err, messages.ResourceExhausted) {
			t.Errorf("limit %d: %v", limit, c.in.Err)
		}
		c.check([][]byte{[]byte("a"), []byte("b")})
		if err := c.read(limit, true); !errors.Is(err, messages.ResourceExhausted) || c.in.Err != nil {
			t.Errorf("limit %d: afterwards %v, %v", limit, err, c.in.Err)
		}
	}
}

// TestLimit checks that the frames beyond a limit come without touching the socket, and keep one buffer.
func TestLimit(t *testing.T) {
	client, server := pair(t, "unix")
	bufs := transport.NewBuffers(64 << 10)
	c := &collector{t: t, reader: transport.NewReader(transport.NewConn(server), transport.Delimited, 9, bufs, transport.Timeouts{}), bufs: bufs}
	var want [][]byte
	for i := range 10_000 {
		want = append(want, fmt.Appendf(nil, "%d", i))
	}
	mustWrite(t, client, frames(transport.Delimited, want...))
	if err := c.read(64, true); err != nil {
		t.Fatal(err)
	}
	server.Close() // a Read that touches it fails
	for reads := 1; len(c.got) < len(want); reads++ {
		if wantHeld := int64(1); bufs.Held() != wantHeld {
			t.Fatalf("%d buffers held, want %d", bufs.Held(), wantHeld)
		}
		if err := c.read(64, reads%2 == 0); err != nil {
			t.Fatalf("after %d frames: %v", len(c.got), err)
		}
		if len(c.in.Frames) < 64 && len(c.got) < len(want) {
			t.Fatalf("only %d frames", len(c.in.Frames))
		}
	}
	c.check(want)
}

// TestRelease checks that a reader gives back what it holds.
func TestRelease(t *testing.T) {
	client, server := pair(t, "unix")
	bufs := transport.NewBuffers(64)
	c := &collector{t: t, reader: transport.NewReader(transport.NewConn(server), transport.Delimited, 9, bufs, transport.Timeouts{}), bufs: bufs}
	mustWrite(t, client, []byte("\x01a\x01b\x02"))
	if err := c.read(1, true); err != nil || c.reader.Held() != 3 || bufs.Held() != 1 {
		t.Fatalf("%v, %d bytes, %d buffers held", err, c.reader.Held(), bufs.Held())
	}
	c.reader.Release()
	c.reader.Release()
	if c.reader.Held() != 0 || bufs.Held() != 0 {
		t.Fatalf("%d bytes, %d buffers held", c.reader.Held(), bufs.Held())
	}
}

// A reader knows whether it had to wait: for the idle time-out here, but not for what has come, or what it holds.
func TestWaited(t *testing.T) {
	nc, server := pair(t, "tcp")
	conn := transport.NewConn(server)
	r := transport.NewReader(conn, transport.Delimited, 100, transport.NewBuffers(4096), transport.Timeouts{Idle: time.Millisecond})
	in := new(transport.Input)
	var timeout *transport.TimeoutError
	if err := r.Read(in, 1, true); !errors.As(err, &timeout) || !r.Waited() {
		t.Fatalf("%v; waited: %v", err, r.Waited())
	}
	mustWrite(t, nc, []byte("\x01a\x01b"))
	for conn.Unread() < 4 {
		runtime.Gosched()
	}
	for range 2 {
		if err := r.Read(in, 1, true); err != nil || len(in.Frames) != 1 || r.Waited() {
			t.Fatalf("%v, %d frames; waited: %v", err, len(in.Frames), r.Waited())
		}
	}
}
