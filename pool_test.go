package understudy_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// While requests wait and all workers serve, the pool grows to its maximum, and not beyond; its status says so, and the
// server's PID gives the same status.
func TestPoolGrows(t *testing.T) {
	const low, high, clients = 1, 6, 10
	puppet := newPuppet(t)
	h := serve(t, understudy.Config{Service: puppet.service(), Workers: low, MaxWorkers: high, Queue: 50, Deadline: patience, Stall: 2 * patience, Routing: understudy.RoundRobin})
	until(t, "the workers are idle", func() bool { return h.Status().Pool.Idle == low })
	if p := h.Status().Pool; p.Workers != low || p.MinWorkers != low || p.MaxWorkers != high || p.Routing != understudy.RoundRobin {
		t.Errorf("at first: %+v", p)
	}
	var peers []*peer
	for range clients {
		p := h.dial()
		p.send(p.frame(echoRequest("hang"))...)
		peers = append(peers, p)
	}
	until(t, "every worker hangs", func() bool { return puppet.inside.Load() == high && h.Status().Pool.Queue.Now == clients-high })
	until(t, "it was looked at again", func() bool { return h.Status().Pool.Waiting > 100*time.Millisecond })
	answer, err := h.System().Root.RequestFuture(h.PID(), understudy.StatusRequest{}, patience).Result()
	st, ok := answer.(understudy.Status)
	if err != nil || !ok {
		t.Fatalf("the server's actor answers %v, %v", answer, err)
	}
	if p := st.Pool; p.Workers != high || p.Idle != 0 || p.Queue != (understudy.Level{Now: clients - high, Limit: 50}) || p.HeldUp != 0 || p.Detached.Now != 0 || p.Waited < clients-high {
		t.Errorf("under load: %+v", p)
	}
	if st.Connections.Now != clients || st.Draining {
		t.Errorf("under load: %+v", st)
	}
	puppet.letGo()
	for _, p := range peers {
		p.want(echoReply("hang"))
	}
	until(t, "nothing waits", func() bool { return h.Status().Pool.Queue.Now == 0 && h.Status().Pool.Waiting == 0 })
	if p := h.Status().Pool; p.WaitMax < 100*time.Millisecond || p.WaitSum < p.WaitMax || p.Workers != high {
		t.Errorf("at the end: %+v", p)
	}
}

// By whatever rule a worker is chosen, all are right answers, and a burst never waits while a worker is idle.
func TestEveryRouting(t *testing.T) {
	for routing := understudy.FirstIdle; routing <= understudy.LeastLoaded; routing++ {
		t.Run(routing.String(), func(t *testing.T) {
			puppet := newPuppet(t)
			h := serve(t, understudy.Config{Service: puppet.service(), Workers: 3, Routing: routing, Deadline: patience, Stall: 2 * patience})
			var hung []*peer
			for range 2 {
				p := h.dial()
				p.send(p.frame(echoRequest("hang"))...)
				hung = append(hung, p)
			}
			until(t, "two workers hang", func() bool { return puppet.inside.Load() == 2 })
			p := h.dial()
			for c := range 200 {
				m, want := nth(1, c)
				p.send(p.frame(m)...)
				p.want(want)
				if c%50 == 0 {
					p.send(p.frame(echoRequest("crash"))...)
					p.want(errorReply(messages.Internal))
				}
			}
			if n := puppet.inside.Load(); n != 2 {
				t.Errorf("%d handlers hang", n)
			}
			puppet.letGo()
			for _, p := range hung {
				p.want(echoReply("hang"))
			}
		})
	}
}

// Handlers that are declared slow never run on a goroutine that reads a connection, not even the first; and requests that
// come together are handled at the same time, from the first burst on.
func TestDeclaredSlow(t *testing.T) {
	for _, among := range []bool{false, true} {
		t.Run(fmt.Sprint("among others ", among), func(t *testing.T) {
			const workers = 8
			var inside atomic.Int64
			var inline atomic.Bool
			together := make(chan struct{})
			s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
			understudy.Handle(s, func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
				if stack := make([]byte, 64<<10); strings.Contains(string(stack[:runtime.Stack(stack, false)]), "TryRun") {
					inline.Store(true)
				}
				if in.Content == "alone" {
					return in, nil
				}
				if inside.Add(1) == workers {
					close(together)
				}
				<-together
				return in, nil
			}, understudy.Slow())
			understudy.Handle(s, func(_ context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
				return &messages.AddResponse{Result: in.A + in.B}, nil
			})
			h := serve(t, understudy.Config{Service: s, Workers: workers, Deadline: patience, Stall: 2 * patience})
			p := h.dial()
			p.send(p.frame(echoRequest("alone"))...)
			p.want(echoReply("alone"))
			var b []byte
			for i := range workers {
				b = append(b, p.frame(echoRequest("slow"))...)
				if among {
					b = append(b, p.frame(addRequest(int32(i), 1))...)
				}
			}
			p.send(b...)
			for i := range workers {
				p.want(echoReply("slow"))
				if among {
					p.want(addReply(int32(i + 1)))
				}
			}
			if inline.Load() {
				t.Error("a handler that was declared slow ran on a reader's goroutine")
			}
		})
	}
}

// A pool that fails while it grows, under a load that never ends, is restarted, and grows on.
func TestPoolFailsWhileItGrows(t *testing.T) {
	for after := 1; after <= 3; after++ {
		t.Run(fmt.Sprint("after ", after), func(t *testing.T) {
			const high, clients = 8, 24
			s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
			understudy.Handle(s, func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
				timer := time.NewTimer(20 * time.Millisecond)
				<-timer.C
				return in, nil
			})
			h := serve(t, understudy.Config{
				Service: s, Workers: 1, MaxWorkers: high, Deadline: patience, Faults: []string{fmt.Sprintf("panic pool after=%d count=1", after)},
			})
			var stop atomic.Bool
			var all sync.WaitGroup
			for range clients {
				p := h.dial()
				all.Go(func() {
					defer p.Close()
					for !stop.Load() {
						p.send(p.frame(echoRequest("slow"))...)
						p.want(echoReply("slow"))
					}
				})
			}
			until(t, "the pool has grown", func() bool { return h.Status().Pool.Workers == high && struck(h) == 1 })
			stop.Store(true)
			all.Wait()
		})
	}
}

// Retried bursts wait too; and so may a burst that comes while both workers are being restarted.
func TestWaitedFitsWaitSum(t *testing.T) {
	_, h := newFlaky(t, understudy.Config{Workers: 2, Deadline: patience}, understudy.Idempotent())
	p := h.dial()
	for i := range 10 {
		p.send(p.frame(echoRequest(fmt.Sprint("1 ", i)))...)
		p.want(echoReply(fmt.Sprint("1 ", i)))
	}
	if st := h.Status().Pool; st.Waited < 10 || st.Waited != h.Counts().QueuedBursts || st.WaitSum == 0 || st.Queue.Now != 0 {
		t.Errorf("ten bursts were retried: %+v", st)
	}
}
