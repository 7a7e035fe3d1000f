package understudy_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test for something that must happen.
const patience = 60 * time.Second

// host is a server under test.
type host struct {
	*understudy.Server
	t      testing.TB
	served chan error
}

// serve starts a server on a free port, with delimited framing unless c.Listen says otherwise. The test's end shuts it
// down, and checks its books.
func serve(t testing.TB, c understudy.Config) *host {
	t.Helper()
	if c.Listen == nil {
		c.Listen = []string{"tcp://127.0.0.1:0"}
	}
	s, err := understudy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{Server: s, t: t, served: make(chan error, 1)}
	go func() { h.served <- s.Serve(context.Background()) }()
	select {
	case <-s.Ready():
	case <-time.After(patience):
		t.Fatal("the server does not get ready")
	}
	t.Cleanup(func() { h.stop() })
	return h
}

// stop shuts the server down and returns its report, whose books must balance.
func (h *host) stop() understudy.Report {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := h.Shutdown(ctx)
	if err != nil {
		h.t.Errorf("Shutdown: %v", err)
	}
	c := r.Counts
	if c.Decoded != c.Answered+c.Dropped+c.Unanswered || c.InFlight != 0 {
		h.t.Errorf("the books do not balance: %+v", c)
	}
	if c.BytesReceived != c.BytesDecoded+c.BytesDiscarded {
		h.t.Errorf("bytes do not balance: %+v", c)
	}
	if c.Connections != 0 {
		h.t.Errorf("%d connections are left", c.Connections)
	}
	for _, p := range r.Problems {
		h.t.Error(p)
	}
	return r
}

// peer is a client that speaks bytes.
type peer struct {
	net.Conn
	t       testing.TB
	framing transport.Framing
	r       *bufio.Reader
}

// dial connects to the server.
func (h *host) dial() *peer {
	h.t.Helper()
	p, err := h.tryDial()
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { p.Close() })
	p.SetDeadline(time.Now().Add(patience))
	return p
}

func (h *host) tryDial() (*peer, error) {
	u, err := transport.ParseURL(h.URLs()[0])
	if err != nil {
		return nil, err
	}
	c, err := net.Dial(u.Network, u.Address)
	if err != nil {
		return nil, err
	}
	return &peer{Conn: c, t: h.t, framing: u.Framing, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

// frame encodes one request as it goes out.
func (p *peer) frame(m proto.Message) []byte { return frame(p.framing, m) }

func frame(f transport.Framing, m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return append(f.AppendHeader(nil, len(b)), b...)
}

func (p *peer) send(b ...byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Fatalf("send: %v", err)
	}
}

// next reads one reply; io.EOF is a clean end.
func (p *peer) next() (*messages.ServerMessage, error) {
	b, err := p.nextFrame()
	if err != nil {
		return nil, err
	}
	m := new(messages.ServerMessage)
	return m, proto.Unmarshal(b, m)
}

func (p *peer) nextFrame() ([]byte, error) {
	want := 1
	for {
		b, err := p.r.Peek(want)
		if len(b) < want {
			if len(b) > 0 && errors.Is(err, io.EOF) {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, err
		}
		payload, n, need, err := p.framing.Next(b, 64<<20)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			payload = append([]byte(nil), payload...)
			_, err := p.r.Discard(n)
			return payload, err
		}
		if need > p.r.Size() {
			p.r = bufio.NewReaderSize(p.r, need)
		}
		want = need
	}
}

// want reads one reply and compares it with the wanted one. Of an error only what is set is compared.
func (p *peer) want(w *messages.ServerMessage) {
	p.t.Helper()
	m, err := p.next()
	if err != nil {
		p.t.Fatalf("want %v, got %v", w, err)
	}
	if e := w.GetError(); e != nil {
		if m.GetError().GetCode() != e.GetCode() {
			p.t.Fatalf("want %v, got %v", messages.Code(e.GetCode()), m)
		}
		return
	}
	if !proto.Equal(m, w) {
		p.t.Fatalf("want %v, got %v", w, m)
	}
}

// wantEnd reads until the end, which must be clean.
func (p *peer) wantEnd() {
	p.t.Helper()
	if m, err := p.next(); err != io.EOF {
		p.t.Fatalf("want the end, got %v, %v", m, err)
	}
}

func (p *peer) closeWrite() {
	p.t.Helper()
	if err := p.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		p.t.Fatal(err)
	}
}

func echoRequest(s string) *messages.ClientMessage {
	return &messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: s}}}
}

func echoReply(s string) *messages.ServerMessage {
	return &messages.ServerMessage{Message: &messages.ServerMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: s}}}
}

func addRequest(a, b int32) *messages.ClientMessage {
	return &messages.ClientMessage{Message: &messages.ClientMessage_AddRequest{AddRequest: &messages.AddRequest{A: a, B: b}}}
}

func addReply(sum int32) *messages.ServerMessage {
	return &messages.ServerMessage{Message: &messages.ServerMessage_AddResponse{AddResponse: &messages.AddResponse{Result: sum}}}
}

func errorReply(c messages.Code) *messages.ServerMessage {
	return &messages.ServerMessage{Message: &messages.ServerMessage_Error{Error: &messages.Error{Code: int32(c)}}}
}

// everyFraming runs a test against a listener of each framing.
func everyFraming(t *testing.T, c understudy.Config, f func(t *testing.T, h *host, p *peer)) {
	for _, name := range transport.Framings() {
		t.Run(name, func(t *testing.T) {
			c := c
			c.Listen = []string{"tcp://127.0.0.1:0?" + url.Values{"framing": {name}}.Encode()}
			h := serve(t, c)
			f(t, h, h.dial())
		})
	}
}

// until waits for a condition that comes about by itself, and has no other sign.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain: " + what)
		}
		<-tick.C
	}
}

func address(h *host) string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.SplitN(h.URLs()[0], "?", 2)[0], "tcp://"), "unix://")
}

// request and reply of place i on connection c: both kinds, and no two alike.
func nth(c, i int) (*messages.ClientMessage, *messages.ServerMessage) {
	if i%2 == 0 {
		s := fmt.Sprintf("connection %d, request %d", c, i)
		return echoRequest(s), echoReply(s)
	}
	return addRequest(int32(c), int32(i)), addReply(int32(c + i))
}

// syncBuffer is a log to look into.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *syncBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
