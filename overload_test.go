package understudy_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// Far more work than two slow workers can do, from 400 connections: each request ends as served, refused, or too late, and
// each connection gets its replies in order.
func TestOverload(t *testing.T) {
	const connections, each = 400, 5
	config := understudy.Config{
		Workers: 2, Queue: 500, Deadline: 500 * time.Millisecond, Faults: []string{"slow worker/* delay=20ms"},
		MaxConnections: connections, MaxFrame: 16 << 10, Window: 16, WindowBytes: 16 << 10, ReadBuffer: 16 << 10, WriteBuffer: 16 << 10, MaxDetached: 16,
	}
	meter := newMemoryMeter()
	h := serve(t, config)
	var served, refused, late atomic.Int64
	var all sync.WaitGroup
	for c := range connections {
		p := h.dial()
		all.Go(func() {
			for i := range each { // one at a time, so that it is the queue that fills
				m, _ := nth(c, i)
				p.send(p.frame(m)...)
			}
			for i := range each {
				m, err := p.next()
				if err != nil {
					t.Errorf("connection %d: reply %d: %v", c, i, err)
					return
				}
				switch messages.Code(m.GetError().GetCode()) {
				case messages.OK:
					_, want := nth(c, i)
					if m.String() != want.String() {
						t.Errorf("connection %d: reply %d: got %v", c, i, m)
					}
					served.Add(1)
				case messages.ResourceExhausted:
					if m.GetError().GetRetryAfterMs() == 0 || !m.GetError().GetNotStarted() {
						t.Errorf("got %v", m)
					}
					refused.Add(1)
				case messages.DeadlineExceeded:
					late.Add(1)
				default:
					t.Errorf("connection %d: reply %d: got %v", c, i, m)
				}
			}
		})
	}
	all.Wait()
	if used, ceiling := meter.stop(), config.MemoryCeiling(0); used > ceiling {
		t.Errorf("%d KiB of memory were used; the ceiling is %d KiB", used>>10, ceiling>>10)
	}
	if served.Load() == 0 || refused.Load() == 0 || late.Load() == 0 {
		t.Errorf("served %d, refused %d, late %d: the test wants some of each", served.Load(), refused.Load(), late.Load())
	}
	c := h.stop().Counts
	if c.Codes[messages.OK] != served.Load() || c.Codes[messages.ResourceExhausted] != refused.Load() || c.Codes[messages.DeadlineExceeded] != late.Load() {
		t.Errorf("clients: %d served, %d refused, %d late; counts: %+v", served.Load(), refused.Load(), late.Load(), c)
	}
}

// BenchmarkSpread reports how busy one connection with handlers of 5 ms, 64 requests in flight, keeps 16 workers: the time
// spent in handlers, as measured, against 16 times the time that passed.
func BenchmarkSpread(b *testing.B) {
	const workers, depth = 16, 64
	var inside atomic.Int64
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, func(_ context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
		begun := time.Now()
		timer := time.NewTimer(5 * time.Millisecond)
		<-timer.C
		inside.Add(int64(time.Since(begun)))
		return &messages.AddResponse{Result: in.A}, nil
	})
	h := serve(b, understudy.Config{Service: s, Workers: workers})
	p := h.dial()
	roundTrips := func(n int) {
		sent := 0
		for got := range n {
			for ; sent < n && sent-got < depth; sent++ {
				p.send(p.frame(addRequest(int32(sent), 0))...)
			}
			p.want(addReply(int32(got)))
		}
	}
	roundTrips(10 * depth)
	inside.Store(0)
	b.ResetTimer()
	roundTrips(b.N)
	b.StopTimer()
	b.ReportMetric(float64(inside.Load())/float64(b.Elapsed())/workers, "busy")
	p.Close()
}

// What the request path costs: depth 1 and depth 128 on one connection over loopback, with the client's part.
func BenchmarkEcho(b *testing.B) {
	for _, depth := range []int{1, 16, 128} {
		b.Run(fmt.Sprint("depth=", depth), func(b *testing.B) {
			h := serve(b, understudy.Config{})
			p := h.dial()
			var request []byte
			for range depth {
				request = append(request, p.frame(echoRequest("thirty-two bytes of an echo text"))...)
			}
			b.ReportAllocs()
			for b.Loop() {
				p.send(request...)
				for range depth {
					if _, err := p.nextFrame(); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*depth), "ns/request")
			p.Close()
		})
	}
}
