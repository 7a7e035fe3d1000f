package understudy_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// puppet is a service whose Echo does what its content says, and whose Add is served as usual.
type puppet struct {
	release chan struct{}
	inside  atomic.Int64 // handlers that hang
}

func newPuppet(t testing.TB) *puppet {
	p := &puppet{release: make(chan struct{})}
	t.Cleanup(func() {
		p.letGo()
		until(t, "the handlers have returned", func() bool { return p.inside.Load() == 0 })
	})
	return p
}

func (p *puppet) letGo() {
	select {
	case <-p.release:
	default:
		close(p.release)
	}
}

func (p *puppet) service() understudy.Handlers {
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, p.echo)
	understudy.Handle(s, func(_ context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
		return &messages.AddResponse{Result: in.A + in.B}, nil
	})
	return s
}

func (p *puppet) echo(ctx context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
	switch in.Content {
	case "hang":
		p.inside.Add(1)
		defer p.inside.Add(-1)
		<-p.release
	case "obey":
		<-ctx.Done()
		return nil, ctx.Err()
	case "exit":
		runtime.Goexit()
	case "crash":
		panic("as it was told")
	case "nothing":
		return nil, nil
	}
	return in, nil
}

// A handler that hangs costs its own request, which is answered at the deadline, and delays those behind it by the stall
// time. Its late result is dropped.
func TestHangCostsOneRequest(t *testing.T) {
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprint(workers, " workers"), func(t *testing.T) {
			puppet := newPuppet(t)
			h := serve(t, understudy.Config{Service: puppet.service(), Workers: workers, Deadline: 500 * time.Millisecond, Stall: 10 * time.Millisecond})
			p := h.dial()
			var all []byte
			for i := range 5 {
				all = append(all, p.frame(addRequest(int32(i), 0))...)
			}
			all = append(all, p.frame(echoRequest("hang"))...)
			for i := range 5 {
				all = append(all, p.frame(addRequest(int32(i), 100))...)
			}
			p.send(all...)
			for i := range 5 {
				p.want(addReply(int32(i))) // those before it do not wait for its deadline
			}
			if c := h.Counts(); c.Codes[messages.DeadlineExceeded] != 0 {
				t.Errorf("the replies before it came late: %+v", c)
			}
			// Another connection is served meanwhile, and so is a later request of this one.
			other := h.dial()
			other.send(other.frame(addRequest(2, 40))...)
			other.want(addReply(42))
			p.send(p.frame(addRequest(7, 7))...)

			m, err := p.next()
			if err != nil || m.GetError().GetCode() != int32(messages.DeadlineExceeded) || m.GetError().GetNotStarted() {
				t.Fatalf("got %v, %v", m, err)
			}
			for i := range 5 {
				p.want(addReply(int32(i + 100)))
			}
			p.want(addReply(14))
			puppet.letGo()
			until(t, "the late result is dropped", func() bool { return h.Counts().Late == 1 && h.Counts().Detached == 0 })
			p.send(p.frame(addRequest(1, 1))...)
			p.want(addReply(2))
		})
	}
}

// A handler that is slow, and not hung, answers its request after all, in its place.
func TestSlowHandlerAnswersInPlace(t *testing.T) {
	puppet := newPuppet(t)
	h := serve(t, understudy.Config{Service: puppet.service(), Workers: 1, Deadline: patience, Stall: 10 * time.Millisecond})
	p := h.dial()
	p.send(append(append(p.frame(addRequest(1, 0)), p.frame(echoRequest("hang"))...), p.frame(addRequest(2, 0))...)...)
	p.want(addReply(1))
	until(t, "the rest was served by another worker", func() bool { return h.Counts().Codes[messages.OK] == 2 })
	puppet.letGo()
	p.want(echoReply("hang"))
	p.want(addReply(2))
	if c := h.stop().Counts; c.Late != 0 || c.Codes[messages.OK] != 3 {
		t.Errorf("counts: %+v", c)
	}
}

// With every worker's handler hung, other handlers' requests are served; beyond the cap of hung handlers, that handler
// answers UNAVAILABLE, and the others go on.
func TestEveryWorkerHangs(t *testing.T) {
	const workers, limit = 4, 20
	puppet := newPuppet(t)
	h := serve(t, understudy.Config{Service: puppet.service(), Workers: workers, MaxDetached: limit, Deadline: patience, Stall: 5 * time.Millisecond})
	var refused atomic.Int64
	var all sync.WaitGroup
	for range workers + limit + 10 {
		p := h.dial()
		p.send(p.frame(echoRequest("hang"))...)
		all.Go(func() {
			m, err := p.next()
			if err != nil {
				t.Error(err)
				return
			}
			if m.GetError().GetCode() == int32(messages.Unavailable) && m.GetError().GetNotStarted() {
				refused.Add(1)
				return
			}
			if m.GetEchoMessage().GetContent() != "hang" {
				t.Errorf("got %v", m)
			}
		})
	}
	until(t, "some are refused, and the others hang", func() bool { return refused.Load()+puppet.inside.Load() == workers+limit+10 })
	if n := puppet.inside.Load(); n > workers+limit || n < limit {
		t.Errorf("%d handlers hang, with %d workers and a cap of %d", n, workers, limit)
	}
	other := h.dial()
	for i := range 100 {
		other.send(other.frame(addRequest(int32(i), 1))...)
		other.want(addReply(int32(i + 1)))
	}
	puppet.letGo()
	all.Wait()
	until(t, "the pool is whole again", func() bool { return h.Counts().Detached == 0 })
	other.send(other.frame(echoRequest("again"))...)
	other.want(echoReply("again"))
}

// A context is cancelled at the deadline, and the handler that obeys it is no leak.
func TestContextEndsAtTheDeadline(t *testing.T) {
	puppet := newPuppet(t)
	h := serve(t, understudy.Config{Service: puppet.service(), Deadline: 100 * time.Millisecond, Stall: 5 * time.Millisecond})
	p := h.dial()
	p.send(append(p.frame(echoRequest("obey")), p.frame(addRequest(1, 1))...)...)
	p.want(errorReply(messages.DeadlineExceeded))
	p.want(addReply(2))
	until(t, "the handler has returned", func() bool { return h.Counts().Detached == 0 })
}

// runtime.Goexit in a handler is a crash like any other: inline, from the queue, and again and again.
func TestHandlerEndsItsGoroutine(t *testing.T) {
	puppet := newPuppet(t)
	h := serve(t, understudy.Config{Service: puppet.service(), Workers: 2, Deadline: patience})
	p, other := h.dial(), h.dial()
	for i := range 50 {
		request := p.frame(echoRequest("exit"))
		if i%2 == 1 { // with something behind it, that goes through the queue
			request = append(request, p.frame(addRequest(int32(i), 1))...)
		}
		p.send(request...)
		m, err := p.next()
		if err != nil || m.GetError().GetCode() != int32(messages.Internal) || m.GetError().GetIncidentId() == "" {
			t.Fatalf("round %d: got %v, %v", i, m, err)
		}
		if i%2 == 1 {
			p.want(addReply(int32(i + 1)))
		}
		other.send(other.frame(addRequest(2, 40))...)
		other.want(addReply(42))
	}
	if r := h.stop(); r.Counts.Crashes != 50 || r.Cause != nil || r.Err() != nil {
		t.Errorf("report: %+v", r)
	}
}

// A handler that returns neither a reply nor an error is a bug of its own kind, and an error is what it says.
func TestHandlerReturnsNothing(t *testing.T) {
	h := serve(t, understudy.Config{Service: newPuppet(t).service()})
	p := h.dial()
	p.send(append(p.frame(echoRequest("nothing")), p.frame(addRequest(1, 1))...)...)
	p.want(errorReply(messages.Internal))
	p.want(addReply(2))
}

// A connection whose every request crashes does not keep others waiting: at least three in four workers stay.
func TestCrashStormOfOneConnection(t *testing.T) {
	h := serve(t, understudy.Config{Service: newPuppet(t).service(), Workers: 8})
	storm, other := h.dial(), h.dial()
	var all sync.WaitGroup
	all.Go(func() {
		for range 500 {
			storm.send(storm.frame(echoRequest("crash"))...)
			storm.want(errorReply(messages.Internal))
		}
	})
	for i := range 2000 {
		other.send(other.frame(addRequest(int32(i), 1))...)
		other.want(addReply(int32(i + 1)))
	}
	all.Wait()
	if r := h.stop(); r.Counts.Crashes != 500 || r.Cause != nil {
		t.Errorf("report: %+v", r)
	}
}

// Forcing the end while clients connect, send and hang: Shutdown returns, and the books balance.
func TestForceAtAnyMoment(t *testing.T) {
	for round := range 20 {
		puppet := newPuppet(t)
		h := serve(t, understudy.Config{Service: puppet.service(), Workers: 4, Deadline: patience})
		stop := make(chan struct{})
		var all sync.WaitGroup
		for c := range 8 {
			all.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					p, err := h.tryDial()
					if err != nil {
						continue // the listener is closed
					}
					what := "on"
					if (c+i)%7 == 0 {
						what = "hang"
					}
					p.SetDeadline(time.Now().Add(time.Second))
					_, _ = p.Write(append(p.frame(addRequest(1, 1)), p.frame(echoRequest(what))...))
					_, _ = p.next()
					p.Close()
				}
			})
		}
		until(t, "it runs", func() bool { return h.Counts().Answered > int64(10*round) })
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = h.Shutdown(ctx)
		}()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatal("Shutdown does not return")
		}
		close(stop)
		all.Wait()
		puppet.letGo()
	}
}

// Handlers that take long are called by several workers at once, although one connection sends everything in one go.
func TestSlowHandlersAreSpread(t *testing.T) {
	const workers, n = 8, 64
	var inside, most atomic.Int64
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, func(_ context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
		now := inside.Add(1)
		defer inside.Add(-1)
		for {
			if old := most.Load(); now <= old || most.CompareAndSwap(old, now) {
				break
			}
		}
		timer := time.NewTimer(5 * time.Millisecond)
		defer timer.Stop()
		<-timer.C
		return &messages.AddResponse{Result: in.A + in.B}, nil
	})
	h := serve(t, understudy.Config{Service: s, Workers: workers})
	p := h.dial()
	for range 3 { // the first time it is not known yet
		var all []byte
		for i := range n {
			all = append(all, p.frame(addRequest(int32(i), 1))...)
		}
		p.send(all...)
		for i := range n {
			p.want(addReply(int32(i + 1)))
		}
	}
	if most.Load() != workers {
		t.Errorf("at most %d handlers ran at once, with %d workers", most.Load(), workers)
	}
}

// Already the first burst of slow requests is spread, after a stall time: it does not take its length times theirs.
func TestFirstSlowBurstIsSpread(t *testing.T) {
	for _, delay := range []time.Duration{20 * time.Millisecond, 60 * time.Millisecond} {
		h := serve(t, understudy.Config{Workers: 16, Deadline: 2 * time.Second, Faults: []string{fmt.Sprintf("slow worker/* delay=%s", delay)}})
		p := h.dial()
		var all []byte
		for i := range 150 { // one after the other they would miss the deadline
			all = append(all, p.frame(addRequest(int32(i), 1))...)
		}
		p.send(all...)
		for i := range 150 {
			p.want(addReply(int32(i + 1)))
		}
		p.Close()
	}
}

// A framing error behind a request whose handler holds up, or ends, the goroutine that reads: the requests before it get
// their replies, and then the error is told.
func TestRefusalBehindRequests(t *testing.T) {
	for _, what := range []string{"exit", "hang", "crash", "key"} {
		t.Run(what, func(t *testing.T) {
			puppet := newPuppet(t)
			s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
			var options []understudy.HandlerOption
			if what == "key" {
				options = append(options, understudy.Key(func(in *messages.EchoMessage) string {
					if in.Content == "key" {
						runtime.Goexit()
					}
					return in.Content
				}))
			}
			understudy.Handle(s, puppet.echo, options...)
			h := serve(t, understudy.Config{Service: s, Workers: 2, Stall: 10 * time.Millisecond, Deadline: patience})
			p := h.dial()
			b := append(append(p.frame(echoRequest("one")), p.frame(echoRequest(what))...), p.frame(echoRequest("two"))...)
			p.send(append(b, bytes.Repeat([]byte{0xff}, 12)...)...)
			p.want(echoReply("one"))
			if what == "hang" {
				until(t, "another worker has served the rest", func() bool { return h.Counts().Codes[messages.OK] == 2 })
				puppet.letGo()
				p.want(echoReply(what))
			} else {
				p.want(errorReply(messages.Internal))
			}
			p.want(echoReply("two"))
			p.want(errorReply(messages.InvalidArgument))
			p.wantEnd()
		})
	}
}
