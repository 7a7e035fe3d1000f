package client_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server of its own for a test: handle gets each connection on a goroutine, and the connection is closed when it
// returns. It returns the server's URL.
func serve(t testing.TB, network string, framing transport.Framing, handle func(*peer)) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "socket")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				handle(&peer{t: t, conn: conn, in: bufio.NewReader(conn), framing: framing})
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return transport.URL{Network: network, Address: l.Addr().String(), Framing: framing}.String()
}

// peer is the server's side of a connection. It reads frames in its own, simple way.
type peer struct {
	t       testing.TB
	conn    net.Conn
	in      *bufio.Reader
	framing transport.Framing
	nth     int // of a network's connections, the first is 1
}

// request reads one request of the built-in service, or returns nil at the end.
func (p *peer) request() *messages.ClientMessage {
	m := new(messages.ClientMessage)
	if !p.read(m) {
		return nil
	}
	return m
}

// read reads one request into m. It is false at the end.
func (p *peer) read(m proto.Message) bool {
	frame := p.readFrame()
	if frame == nil {
		return false
	}
	if err := proto.Unmarshal(frame, m); err != nil {
		p.t.Errorf("the server got %x: %v", frame, err)
		return false
	}
	return true
}

func (p *peer) readFrame() []byte {
	var frame []byte
	switch p.framing {
	case transport.Length32:
		var size uint32
		if binary.Read(p.in, binary.BigEndian, &size) != nil {
			return nil
		}
		frame = make([]byte, size)
	case transport.Unframed:
		tag, err := binary.ReadUvarint(p.in)
		if err != nil {
			return nil
		}
		frame = p.rest(binary.AppendUvarint(nil, tag))
	default:
		frame = p.rest(nil)
	}
	if frame == nil {
		return nil
	}
	if p.framing != transport.Unframed {
		if _, err := io.ReadFull(p.in, frame); err != nil {
			return nil
		}
	}
	return frame
}

// rest reads a length. Without a tag it returns that many zero bytes, with one the whole field.
func (p *peer) rest(tag []byte) []byte {
	size, err := binary.ReadUvarint(p.in)
	if err != nil {
		return nil
	}
	if tag == nil {
		return make([]byte, size)
	}
	head := binary.AppendUvarint(tag, size)
	field := append(head, make([]byte, size)...)
	if _, err := io.ReadFull(p.in, field[len(head):]); err != nil {
		return nil
	}
	return field
}

// answer returns what a server answers, framed.
func (p *peer) answer(m *messages.ClientMessage) []byte {
	switch m := m.GetMessage().(type) {
	case *messages.ClientMessage_EchoMessage:
		return p.frame(&messages.ServerMessage{Message: &messages.ServerMessage_EchoMessage{EchoMessage: m.EchoMessage}})
	case *messages.ClientMessage_AddRequest:
		sum := int64(m.AddRequest.GetA()) + int64(m.AddRequest.GetB())
		if sum < math.MinInt32 || sum > math.MaxInt32 {
			return p.frame(failure(&messages.Status{Code: messages.OutOfRange, Message: "no int32"}))
		}
		return p.frame(&messages.ServerMessage{Message: &messages.ServerMessage_AddResponse{
			AddResponse: &messages.AddResponse{Result: int32(sum)},
		}})
	}
	return p.frame(failure(&messages.Status{Code: messages.InvalidArgument, Message: "empty"}))
}

func failure(s *messages.Status) *messages.ServerMessage {
	return &messages.ServerMessage{Message: &messages.ServerMessage_Error{Error: s.Proto()}}
}

func (p *peer) frame(m proto.Message) []byte {
	payload, err := proto.Marshal(m)
	if err != nil {
		p.t.Error(err)
	}
	return append(p.framing.AppendHeader(nil, len(payload)), payload...)
}

func (p *peer) write(b []byte) { _, _ = p.conn.Write(b) } // a test that lost its server says so itself

// answerAll answers each request as it comes, until the end.
func answerAll(p *peer) {
	for m := p.request(); m != nil; m = p.request() {
		p.write(p.answer(m))
	}
}

// drain reads until the client is gone.
func (p *peer) drain() { _, _ = io.Copy(io.Discard, p.in) }

// use puts another connection in place of the peer's.
func (p *peer) use(conn net.Conn) { p.conn, p.in = conn, bufio.NewReader(conn) }
