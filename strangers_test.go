package understudy_test

import (
	"bytes"
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
