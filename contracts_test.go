package understudy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/internal/foreign"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// The contracts hold for every envelope, with request ids and without, and for functions as for actors. Each wire below is
// one such way. What a request says decides what becomes of it:
//
//	panic…   its handler crashes
//	hang…    its handler does not return, or respond, before its deadline, which is short
//	else     the text in capitals
//
// The first two go out in an arm of their own, as deadlines are a handler's.
type wire struct {
	name    string
	service func(pid *actor.PID) understudy.Handlers // pid is who handles, if the wire asks actors
	actors  bool
	ids     bool
	encode  func(id int64, text string) proto.Message
	decode  func(frame []byte) (reply, error)
}

// reply is what came back.
type reply struct {
	id   int64 // 0 if the wire has none
	text string
	err  *messages.Error
}

// misbehaving is how long a request that hangs may take.
var misbehaving = understudy.Deadline(500 * time.Millisecond)

// What the number in a request of the second arm stands for.
const (
	none = iota
	crash
	hang
)

func misdeed(text string) int32 {
	switch {
	case strings.HasPrefix(text, "panic"):
		return crash
	case strings.HasPrefix(text, "hang"):
		return hang
	}
	return none
}

func misbehave(ctx context.Context, how int32) error {
	if how == crash {
		panic("on purpose")
	}
	<-ctx.Done()
	return ctx.Err()
}

// behaveAs is the actor of all wires that ask actors.
func behaveAs(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *messages.EchoMessage:
		ctx.Respond(&messages.EchoMessage{Content: strings.ToUpper(m.Content)})
	case *foreign.Text:
		ctx.Respond(&foreign.Text{Value: strings.ToUpper(m.Value)})
	case *messages.AddRequest:
		if m.A == crash {
			panic("on purpose")
		}
	case *foreign.Number:
		if m.Value == crash {
			panic("on purpose")
		}
	}
}

func echoText(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
	return &messages.EchoMessage{Content: strings.ToUpper(in.Content)}, nil
}

func addMisdeed(ctx context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
	return nil, misbehave(ctx, in.A)
}

func numberMisdeed(ctx context.Context, in *foreign.Number) (*foreign.Number, error) {
	return nil, misbehave(ctx, int32(in.Value))
}

func encodeEcho(_ int64, text string) proto.Message {
	if how := misdeed(text); how != none {
		return addRequest(how, 0)
	}
	return echoRequest(text)
}

func decodeEcho(frame []byte) (reply, error) {
	m := new(messages.ServerMessage)
	err := proto.Unmarshal(frame, m)
	return reply{text: m.GetEchoMessage().GetContent(), err: m.GetError()}, err
}

func encodeCall(_ int64, text string) proto.Message {
	if how := misdeed(text); how != none {
		return &foreign.Call{Kind: &foreign.Call_Twice{Twice: &foreign.Number{Value: int64(how)}}}
	}
	return callUpper(text)
}

func decodeCall(frame []byte) (reply, error) {
	m := new(foreign.Result)
	err := proto.Unmarshal(frame, m)
	return reply{text: m.GetUpper().GetValue(), err: m.GetError()}, err
}

func encodeTagged(id int64, text string) proto.Message {
	if how := misdeed(text); how != none {
		return &foreign.Tagged{Id: id, Kind: &foreign.Tagged_Twice{Twice: &foreign.Number{Value: int64(how)}}}
	}
	return tagged(id, text)
}

func decodeTagged(frame []byte) (reply, error) {
	m := new(foreign.TaggedResult)
	err := proto.Unmarshal(frame, m)
	return reply{id: m.Id, text: m.GetUpper().GetValue(), err: m.GetError()}, err
}

var wires = []wire{
	{name: "built in", encode: encodeEcho, decode: decodeEcho, service: func(*actor.PID) understudy.Handlers {
		s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
		understudy.Handle(s, echoText)
		understudy.Handle(s, addMisdeed, misbehaving)
		return s
	}},
	{name: "built in, actor", actors: true, encode: encodeEcho, decode: decodeEcho, service: func(pid *actor.PID) understudy.Handlers {
		s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
		understudy.HandleActor[messages.EchoMessage](s, pid)
		understudy.HandleActor[messages.AddRequest](s, pid, misbehaving)
		return s
	}},
	{name: "foreign", encode: encodeCall, decode: decodeCall, service: func(*actor.PID) understudy.Handlers {
		s := understudy.NewService[*foreign.Call, *foreign.Result]()
		understudy.Handle(s, upper, understudy.Arm("upper"), understudy.ReplyArm("upper"))
		understudy.Handle(s, numberMisdeed, misbehaving)
		return s
	}},
	{name: "foreign, slow", encode: encodeCall, decode: decodeCall, service: func(*actor.PID) understudy.Handlers {
		s := understudy.NewService[*foreign.Call, *foreign.Result]()
		understudy.Handle(s, upper, understudy.Arm("upper"), understudy.ReplyArm("upper"), understudy.Slow())
		understudy.Handle(s, numberMisdeed, misbehaving, understudy.Slow())
		return s
	}},
	{name: "ids", ids: true, encode: encodeTagged, decode: decodeTagged, service: func(*actor.PID) understudy.Handlers {
		s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
		s.RequestID("id")
		understudy.Handle(s, upper)
		understudy.Handle(s, numberMisdeed, misbehaving)
		return s
	}},
	{name: "ids, actor", ids: true, actors: true, encode: encodeTagged, decode: decodeTagged, service: func(pid *actor.PID) understudy.Handlers {
		s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
		s.RequestID("id")
		understudy.HandleActor[foreign.Text](s, pid)
		understudy.HandleActor[foreign.Number](s, pid, misbehaving)
		return s
	}},
}

// spawnRestarted starts an actor that is restarted however often it crashes, until the test ends.
func spawnRestarted(t *testing.T, system *actor.ActorSystem, f actor.ReceiveFunc) *actor.PID {
	t.Helper()
	started := make(chan *actor.PID, 1)
	parent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			started <- ctx.Spawn(actor.PropsFromFunc(f))
		}
	}, actor.WithSupervisor(actor.NewRestartingStrategy())))
	t.Cleanup(func() { _ = system.Root.StopFuture(parent).Wait() })
	return <-started
}

// everyWire runs a test on a server of each wire, spawned in a system with the actor that the wire may ask.
func everyWire(t *testing.T, c understudy.Config, f func(t *testing.T, w *wire, h *host)) {
	for i := range wires {
		w := &wires[i]
		t.Run(w.name, func(t *testing.T) {
			t.Parallel() // they wait for deadlines, most of the time
			system := hostSystem()
			pid := spawnRestarted(t, system, behaveAs)
			c := c
			c.Service = w.service(pid)
			c.Deadline = patience
			h := spawn(t, system.Root, "server", c)
			t.Cleanup(func() {
				h.stop()
			})
			f(t, w, h)
		})
	}
}

// exchange sends n requests, as many at a time as fit, and has every reply looked at, once, in its place unless there are
// ids. i counts from 0.
func (w *wire) exchange(p *peer, n int, text func(i int) string, look func(i int, r reply)) {
	var wg sync.WaitGroup
	wg.Go(func() {
		var out []byte
		for i := range n {
			out = append(out, p.frame(w.encode(int64(i+1), text(i)))...)
			if len(out) > 16<<10 || i == n-1 {
				if _, err := p.Write(out); err != nil {
					p.t.Errorf("request %d: %v", i, err)
					return
				}
				out = out[:0]
			}
		}
	})
	seen := make([]bool, n)
	for i := range n {
		frame, err := p.nextFrame()
		var r reply
		if err == nil {
			r, err = w.decode(frame)
		}
		if err != nil {
			p.t.Errorf("after %d replies: %v", i, err)
			break
		}
		at := i
		if w.ids {
			at = int(r.id) - 1
		}
		if at < 0 || at >= n || seen[at] {
			p.t.Errorf("a reply that nobody waits for: %+v", r)
			break
		}
		seen[at] = true
		look(at, r)
	}
	wg.Wait()
}

// wantText is for a request that shall be served.
func wantText(t *testing.T, text string, r reply) {
	if r.err != nil || r.text != strings.ToUpper(text) {
		t.Errorf("%q is answered with %+v", text, r)
	}
}

func plainText(c, i int) string { return fmt.Sprintf("request %d of connection %d", i, c) }

// Contract 1: exactly one reply for each request, in order or by its id, while handlers crash, stall, hang, and while
// sessions crash.
func TestContractOneReply(t *testing.T) {
	const connections, n = 10, 1000
	faults := []string{"slow worker/* p=0.001 delay=80ms seed=2", "panic session/* every=200ms seed=3"}
	everyWire(t, understudy.Config{Faults: faults, Window: n}, func(t *testing.T, w *wire, h *host) {
		text := func(c, i int) string {
			switch {
			case i%100 == 50:
				return fmt.Sprintf("panic %d", i)
			case i == 333 && c == 0:
				return "hang"
			}
			return plainText(c, i)
		}
		var failed atomic.Int64
		var wg sync.WaitGroup
		for c := range connections {
			p := h.dial()
			wg.Go(func() {
				w.exchange(p, n, func(i int) string { return text(c, i) }, func(i int, r reply) {
					switch s := text(c, i); {
					case strings.HasPrefix(s, "panic"):
						failed.Add(1)
						if r.err.GetCode() == int32(messages.DeadlineExceeded) {
							return // an actor that is restarted does not respond; and a function may get to it too late
						}
						if r.err.GetCode() != int32(messages.Internal) || r.err.IncidentId == "" {
							t.Errorf("%q is answered with %+v", s, r)
						}
					case s == "hang":
						if r.err.GetCode() != int32(messages.DeadlineExceeded) {
							t.Errorf("%q is answered with %+v", s, r)
						}
					default:
						wantText(t, s, r)
					}
				})
			})
		}
		wg.Wait()
		if got := failed.Load(); got != connections*n/100 {
			t.Errorf("%d crashes, want %d", got, connections*n/100)
		}
	})
}

// Contract 7: a half-close is no disconnect, and closing destroys no reply.
func TestContractHalfClose(t *testing.T) {
	everyWire(t, understudy.Config{}, func(t *testing.T, w *wire, h *host) {
		p := h.dial()
		for i := range 100 {
			p.send(p.frame(w.encode(int64(i+1), plainText(0, i)))...)
		}
		p.closeWrite()
		for i := range 100 {
			if frame, err := p.nextFrame(); err != nil {
				t.Fatalf("after %d replies: %v", i, err)
			} else if r, err := w.decode(frame); err != nil || r.err != nil {
				t.Fatalf("got %+v, %v", r, err)
			}
		}
		p.wantEnd()
	})
}

// Contracts 4 and 6: a request that hangs costs itself, its deadline, and nobody else anything.
func TestContractHang(t *testing.T) {
	everyWire(t, understudy.Config{Workers: 4, MaxWorkers: 4}, func(t *testing.T, w *wire, h *host) {
		stuck, other := h.dial(), h.dial()
		for i := range 16 {
			stuck.send(stuck.frame(w.encode(int64(i+1), "hang"))...)
		}
		w.exchange(other, 200, func(i int) string { return plainText(1, i) }, func(i int, r reply) { wantText(t, plainText(1, i), r) })
		for range 16 {
			frame, err := stuck.nextFrame()
			if err != nil {
				t.Fatal(err)
			}
			if r, err := w.decode(frame); err != nil || r.err.GetCode() != int32(messages.DeadlineExceeded) {
				t.Fatalf("got %+v, %v", r, err)
			}
		}
	})
}

// A request that does not decode has its reply in its place, and the connection goes on.
func TestContractBadFrame(t *testing.T) {
	everyWire(t, understudy.Config{}, func(t *testing.T, w *wire, h *host) {
		p := h.dial()
		p.send(append(p.frame(w.encode(1, "a")), "\x03\x0a\x05x"...)...)
		p.send(p.frame(w.encode(2, "b"))...)
		var texts, bad int
		for range 3 {
			frame, err := p.nextFrame()
			if err != nil {
				t.Fatal(err)
			}
			switch r, err := w.decode(frame); {
			case err != nil:
				t.Fatal(err)
			case r.err.GetCode() == int32(messages.InvalidArgument):
				bad++
			case r.err == nil:
				texts++
			}
		}
		if texts != 2 || bad != 1 {
			t.Errorf("%d replies, %d refusals", texts, bad)
		}
	})
}

// Contract 2, and the third walk: a drain under load answers everything that was decoded, and ends no connection in a reset.
func TestContractDrain(t *testing.T) {
	const connections = 10
	everyWire(t, understudy.Config{Drain: patience}, func(t *testing.T, w *wire, h *host) {
		var answered atomic.Int64
		var wg sync.WaitGroup
		for range connections {
			p := h.dial()
			over, tokens := make(chan struct{}), make(chan struct{}, 200) // a token for each request in flight
			wg.Go(func() {
				for i := int64(1); ; i++ {
					select {
					case tokens <- struct{}{}:
					case <-over:
						return
					}
					if _, err := p.Write(p.frame(w.encode(i, "go on"))); err != nil {
						return // the server has closed; what it has said is read below
					}
				}
			})
			wg.Go(func() {
				defer p.Close()
				defer close(over)
				for {
					frame, err := p.nextFrame()
					if errors.Is(err, io.EOF) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					if r, err := w.decode(frame); err != nil || r.text != "GO ON" {
						t.Errorf("got %+v, %v", r, err)
					}
					answered.Add(1)
					<-tokens
				}
			})
		}
		until(t, "there is load", func() bool { return h.Counts().Answered > 1000 })
		r := h.stop()
		wg.Wait()
		if c := r.Counts; c.Answered != c.Decoded || c.Answered != answered.Load() || r.Forced != 0 {
			t.Errorf("decoded %d, answered %d, clients got %d; %d connections forced", c.Decoded, c.Answered, answered.Load(), r.Forced)
		}
	})
}

// A peer that resets its connection in the middle of everything leaves nothing behind: the books balance, and others go on.
func TestContractReset(t *testing.T) {
	everyWire(t, understudy.Config{}, func(t *testing.T, w *wire, h *host) {
		for range 20 {
			p := h.dial()
			for i := range 50 {
				p.send(p.frame(w.encode(int64(i+1), "hang"))...)
			}
			if err := p.Conn.(*net.TCPConn).SetLinger(0); err != nil {
				t.Fatal(err)
			}
			p.Close()
		}
		p := h.dial()
		w.exchange(p, 100, func(i int) string { return plainText(0, i) }, func(i int, r reply) { wantText(t, plainText(0, i), r) })
		p.Close()
		until(t, "every connection is gone", func() bool { return h.Status().Connections.Now == 0 })
		until(t, "nothing is asked", func() bool { return h.Status().Asked.Now == 0 })
	})
}

// Contract 3: what is too much is refused at once, and everything has its reply.
func TestContractOverload(t *testing.T) {
	const n = 200
	everyWire(t, understudy.Config{Workers: 1, MaxWorkers: 1, Queue: 20, Window: n, MaxDetached: 1}, func(t *testing.T, w *wire, h *host) {
		p := h.dial()
		codes := map[messages.Code]int{}
		w.exchange(p, n, func(i int) string {
			if i%2 == 0 {
				return "hang"
			}
			return plainText(0, i)
		}, func(i int, r reply) { codes[messages.Code(r.err.GetCode())]++ })
		total := 0
		for code, k := range codes {
			switch code {
			case messages.OK, messages.ResourceExhausted, messages.DeadlineExceeded, messages.Unavailable:
				total += k
			}
		}
		if total != n {
			t.Errorf("replies by code: %v", codes)
		}
	})
}
