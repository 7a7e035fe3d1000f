package understudy_test

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// strangers are the worst company that a connection can have: clients that never read, clients that send half a frame and
// no more, and one whose every request crashes.
type strangers struct {
	t     testing.TB
	all   []*peer
	ended sync.WaitGroup
}

// strangersConfig is for a server that is in such company.
func strangersConfig(connections int) understudy.Config {
	return understudy.Config{
		MaxConnections: connections, MaxFrame: 1 << 20, Window: 64, WindowBytes: 64 << 10, SendBuffer: 64 << 10, Workers: 8, MaxDetached: 8,
		WriteTimeout: patience, FrameTimeout: patience, Deadline: patience,
	}
}

// invite has them come, and returns when each has done the worst it can.
func invite(t testing.TB, h *host, deaf, halves int) *strangers {
	runtime.GC()
	s := &strangers{t: t}
	request := frame(transport.Delimited, echoRequest(string(bytes.Repeat([]byte("x"), 10_000))))
	for range deaf {
		p := s.dial(h)
		s.ended.Go(func() {
			for {
				if _, err := p.Write(request); err != nil {
					return // it was closed
				}
			}
		})
	}
	whole := frame(transport.Delimited, echoRequest(string(bytes.Repeat([]byte("y"), 1<<20-16))))
	before := memoryInUse()
	for range halves {
		p := s.dial(h)
		p.send(whole[:len(whole)/2]...)
	}
	// The server has read them when it keeps as much.
	until(t, "the half frames are in", func() bool { return memoryInUse()-before > int64(halves)*int64(len(whole)/2)*9/10 })
	p := s.dial(h)
	s.ended.Go(func() {
		for {
			if _, err := p.Write(p.frame(echoRequest("crash"))); err != nil {
				return
			}
			if m, err := p.next(); err != nil {
				return
			} else if m.GetError().GetCode() != int32(messages.Internal) {
				t.Errorf("the crashing client got %v", m)
			}
		}
	})
	return s
}

func (s *strangers) dial(h *host) *peer {
	p := h.dial()
	p.SetDeadline(time.Time{})
	s.all = append(s.all, p)
	return p
}

// leave has them go.
func (s *strangers) leave() {
	for _, p := range s.all {
		p.Close()
	}
	s.ended.Wait()
}

// good are clients as they should be, one request after the other on each connection. They note how long each took.
func good(h *host, each int) []time.Duration {
	const connections = 8
	took := make([]time.Duration, connections*each)
	var all sync.WaitGroup
	for c := range connections {
		p := h.dial()
		all.Go(func() {
			for i := range each {
				m, w := nth(c, i)
				begun := time.Now()
				p.send(p.frame(m)...)
				p.want(w)
				took[c*each+i] = time.Since(begun)
			}
			p.Close()
		})
	}
	all.Wait()
	slices.Sort(took)
	return took
}

// In the worst company every request of others is answered, and memory stays under its ceiling.
func TestStrangers(t *testing.T) {
	deaf, halves, each := 32, 2000, 500
	if raceEnabled {
		halves, each = 200, 100
	}
	puppet := newPuppet(t)
	c := strangersConfig(deaf + halves + 1 + 8)
	c.Service = puppet.service()
	meter := newMemoryMeter()
	h := serve(t, c)
	s := invite(t, h, deaf, halves)
	good(h, each)
	counts := h.Counts()
	used, ceiling := meter.stop(), c.MemoryCeiling(0)
	s.leave()
	h.stop()
	if used > ceiling {
		t.Errorf("%d MiB of memory were used; the ceiling is %d MiB", used>>20, ceiling>>20)
	}
	if counts.Crashes == 0 || counts.Timeouts != 0 {
		t.Errorf("counts: %+v", counts)
	}
	t.Logf("%d MiB used, %d MiB allowed, %d crashes", used>>20, ceiling>>20, counts.Crashes)
}

// What 32 clients that never read may make the server keep is bounded by their windows, not by what they send.
func TestDeafClientsFillTheirWindows(t *testing.T) {
	const deaf = 32
	c := understudy.Config{
		MaxConnections: deaf, MaxFrame: 64 << 10, WindowBytes: 64 << 10, Window: 32, ReadBuffer: 16 << 10, WriteBuffer: 16 << 10, SendBuffer: 16 << 10,
		Workers: 4, MaxDetached: 4, WriteTimeout: 2 * patience, Deadline: 2 * patience,
	}
	meter := newMemoryMeter()
	h := serve(t, c)
	var all sync.WaitGroup
	var sent atomic.Int64
	var peers []*peer
	for range deaf {
		p := h.dial()
		peers = append(peers, p)
		request := p.frame(echoRequest(string(bytes.Repeat([]byte("x"), 30_000))))
		all.Go(func() {
			for {
				n, err := p.Write(request)
				if sent.Add(int64(n)); err != nil {
					return
				}
			}
		})
	}
	// They have done their worst when nothing more is taken for a hundred looks in a row.
	last, still := int64(-1), 0
	until(t, "the clients are stuck", func() bool {
		if n := sent.Load() + h.Counts().BytesReceived; n != last {
			last, still = n, 0
		}
		still++
		return still > 100
	})
	used, ceiling := meter.stop(), c.MemoryCeiling(0)
	if used > ceiling {
		t.Errorf("%d KiB of memory were used; the ceiling is %d KiB", used>>10, ceiling>>10)
	}
	if n := h.Counts().Decoded - h.Counts().Answered; n > deaf*32 {
		t.Errorf("%d requests are in flight, and the windows have room for %d", n, deaf*32)
	}
	for _, p := range peers {
		p.Close()
	}
	all.Wait()
	t.Logf("%d KiB used, %d KiB allowed", used>>10, ceiling>>10)
}

// BenchmarkStrangers reports how much longer, in the worst company, the requests of others take: the ratio of the p99 to
// that of a quiet run on the same server, the median of five rounds.
func BenchmarkStrangers(b *testing.B) {
	puppet := newPuppet(b)
	c := strangersConfig(4000)
	c.Service = puppet.service()
	var ratios, quiets, louds []float64
	for b.Loop() {
		h := serve(b, c)
		good(h, 2000) // warm
		quiet := good(h, 4000)
		s := invite(b, h, 32, 2000)
		loud := good(h, 4000)
		s.leave()
		h.stop()
		p99 := func(d []time.Duration) float64 { return float64(d[len(d)*99/100]) }
		ratios, quiets, louds = append(ratios, p99(loud)/p99(quiet)), append(quiets, p99(quiet)), append(louds, p99(loud))
	}
	median := func(x []float64) float64 { slices.Sort(x); return x[len(x)/2] }
	b.ReportMetric(median(ratios), "p99-ratio")
	b.ReportMetric(median(quiets)/1000, "quiet-p99-us")
	b.ReportMetric(median(louds)/1000, "p99-us")
}

// Requests of connections that are gone take up neither memory nor places in the queue.
func TestRequestsOfTheGone(t *testing.T) {
	for _, keyed := range []bool{true, false} {
		t.Run(fmt.Sprint("keyed ", keyed), func(t *testing.T) {
			const places, gone = 50, 300
			puppet := newPuppet(t)
			s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
			options := []understudy.HandlerOption{understudy.Slow()}
			if keyed {
				options = append(options, understudy.Key(func(in *messages.EchoMessage) string { return in.Content[:1] }))
			}
			understudy.Handle(s, puppet.echo, options...)
			c := understudy.Config{
				Service: s, MaxConnections: 3, MaxFrame: 64 << 10, WindowBytes: 64 << 10, Window: 32, ReadBuffer: 16 << 10, WriteBuffer: 16 << 10,
				Workers: 1, MaxDetached: 2, Queue: places, Deadline: patience, Stall: patience,
			}
			meter := newMemoryMeter()
			h := serve(t, c)
			first := h.dial()
			first.send(first.frame(echoRequest("hang"))...)
			until(t, "it hangs", func() bool { return puppet.inside.Load() == 1 })
			request := frame(transport.Delimited, echoRequest("h"+string(bytes.Repeat([]byte("x"), 60_000))))
			for range gone {
				p, err := h.tryDial()
				if err != nil {
					t.Fatal(err)
				}
				p.send(request...)
				until(t, "it waits", func() bool { return h.Status().Pool.Queue.Now == 1 })
				if err := p.Conn.(*net.TCPConn).SetLinger(0); err != nil {
					t.Fatal(err)
				}
				p.Close()
				until(t, "it is gone, and its request too", func() bool { return h.Status().Connections.Now == 1 && h.Status().Pool.Queue.Now == 0 })
			}
			if used, ceiling := meter.stop(), c.MemoryCeiling(0); used > ceiling {
				t.Errorf("%d KiB of memory were used; the ceiling is %d KiB", used>>10, ceiling>>10)
			}
			puppet.letGo()
			first.want(echoReply("hang"))
		})
	}
}

// A handler that hangs keeps its request, and not what else its connection had in flight.
func TestHungHandlersOfTheGone(t *testing.T) {
	const hung = 100
	puppet := newPuppet(t)
	c := understudy.Config{
		Service: puppet.service(), MaxConnections: 3, MaxFrame: 4 << 10, WindowBytes: 1 << 20, ReadBuffer: 4 << 10, WriteBuffer: 4 << 10,
		Workers: 2, MaxDetached: hung + 2, Deadline: patience, Stall: 5 * time.Millisecond,
	}
	h := serve(t, c)
	runtime.GC()
	before := memoryInUse()
	request := frame(transport.Delimited, echoRequest(string(bytes.Repeat([]byte("x"), 4000))))
	for i := range hung {
		p, err := h.tryDial()
		if err != nil {
			t.Fatal(err)
		}
		ok := h.Counts().Codes[messages.OK]
		p.send(p.frame(echoRequest("hang"))...)
		until(t, "it hangs", func() bool { return h.Counts().Detached == int64(i+1) })
		p.send(bytes.Repeat(request, 100)...)
		until(t, "the others are served", func() bool { return h.Counts().Codes[messages.OK] >= ok+100 })
		if err := p.Conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		p.Close()
		until(t, "it is gone", func() bool { return h.Status().Connections.Now == 0 })
	}
	runtime.GC()
	runtime.GC()
	if each := (memoryInUse() - before) / hung; each > 100<<10 {
		t.Errorf("a hung handler keeps %d KiB, and its connection had 400 KiB of replies", each>>10)
	}
	puppet.letGo()
}

// A connection at rest keeps nothing of what it has sent.
func TestRestKeepsNothing(t *testing.T) {
	const connections = 20
	h := serve(t, understudy.Config{})
	content := string(bytes.Repeat([]byte("x"), 1<<20))
	runtime.GC()
	before := memoryInUse()
	for range connections {
		p := h.dial()
		go func() { _, _ = p.Write(p.frame(echoRequest(content))) }()
		p.want(echoReply(content))
		p.r = nil // its buffer is as large
	}
	until(t, "the memory is free", func() bool {
		runtime.GC()
		return (memoryInUse()-before)/connections < 64<<10
	})
}
