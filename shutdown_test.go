package understudy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// A shutdown under load loses no reply: what the clients got is what the server says it answered, what they sent is what
// it says it read, and every connection ends cleanly.
func TestShutdownUnderLoad(t *testing.T) {
	// However slow the machine: no bound of the server's may pass.
	h := serve(t, understudy.Config{Drain: patience, Linger: patience, Deadline: patience})
	const connections = 16
	var sentBytes, got atomic.Int64
	var all sync.WaitGroup
	problems := make(chan error, 2*connections)
	flowing := make(chan struct{}, connections)
	for c := range connections {
		p := h.dial()
		ended := make(chan struct{})
		all.Go(func() { // sends until the server has said its last word, and then closes
			var batch []byte
			for i := 0; ; {
				select {
				case <-ended:
					p.closeWrite()
					return
				default:
				}
				for batch = batch[:0]; len(batch) < 32<<10; i++ {
					m, _ := nth(c, i)
					batch = append(batch, p.frame(m)...)
				}
				runtime.Gosched() // a busy client must not keep the others from being dialled
				n, err := p.Write(batch)
				sentBytes.Add(int64(n))
				if err != nil {
					problems <- fmt.Errorf("connection %d: write: %w", c, err)
					return
				}
			}
		})
		all.Go(func() {
			defer close(ended)
			for i := 0; ; i++ {
				m, err := p.next()
				if err == io.EOF {
					return
				}
				_, want := nth(c, i)
				if err != nil || !proto.Equal(m, want) {
					problems <- fmt.Errorf("connection %d: reply %d: %v, %w", c, i, m, err)
					return
				}
				got.Add(1)
				if i == 100 {
					flowing <- struct{}{}
				}
			}
		})
	}
	for range connections {
		<-flowing
	}
	r := h.stop()
	all.Wait()
	close(problems)
	for err := range problems {
		t.Error(err)
	}
	c := r.Counts
	if c.Answered != got.Load() || c.Decoded != c.Answered {
		t.Errorf("clients got %d replies; the server decoded %d, answered %d", got.Load(), c.Decoded, c.Answered)
	}
	if c.BytesDecoded+c.BytesDiscarded+c.BytesUnread != sentBytes.Load() {
		t.Errorf("clients sent %d bytes; the server decoded %d, discarded %d, left %d unread", sentBytes.Load(), c.BytesDecoded, c.BytesDiscarded, c.BytesUnread)
	}
	if r.Drained != connections || r.Forced != 0 || r.ByForce || r.Err() != nil || c.PeerErrors != 0 {
		t.Errorf("report: %+v", r)
	}
	if err := <-h.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	t.Logf("%d replies, %d of them in the drain, which took %v; %d bytes discarded", got.Load(), r.Replies, r.Took, c.BytesDiscarded)
}

// What has arrived when the drain begins is answered.
func TestShutdownAnswersWhatHasArrived(t *testing.T) {
	everyFraming(t, understudy.Config{Faults: []string{"slow worker/* delay=2ms"}, Window: 16, Workers: 1}, func(t *testing.T, h *host, p *peer) {
		const n = 10
		var all []byte
		for i := range n {
			m, _ := nth(0, i)
			all = append(all, p.frame(m)...)
		}
		p.send(all...)
		until(t, "the requests are in", func() bool { return h.Counts().Decoded == n })
		done := make(chan understudy.Report, 1)
		go func() { done <- h.stop() }()
		for i := range n {
			_, w := nth(0, i)
			p.want(w)
		}
		p.wantEnd()
		p.Close()
		if r := <-done; r.Counts.Answered != n || r.Drained != 1 || r.Err() != nil {
			t.Errorf("report: %+v", r)
		}
	})
}

// Half a second before its end, a drain answers what is unanswered with UNAVAILABLE; a handler that still does not return
// is given up, and named with its stack.
func TestShutdownGivesUpHungHandlers(t *testing.T) {
	h := serve(t, understudy.Config{Service: hanging(t), Drain: 700 * time.Millisecond, Workers: 4, Deadline: time.Minute})
	p := h.dial()
	p.send(append(p.frame(addRequest(1, 1)), append(p.frame(echoRequest("hang")), p.frame(addRequest(2, 2))...)...)...)
	until(t, "the handler hangs", func() bool { return h.Counts().WorkerBursts == 1 && h.Counts().Codes[messages.OK] == 1 })
	done := make(chan understudy.Report, 1)
	go func() { done <- h.stop() }()
	p.want(addReply(2))
	m, err := p.next()
	if err != nil || m.GetError().GetCode() != int32(messages.Unavailable) || m.GetError().GetNotStarted() {
		t.Fatalf("got %v, %v", m, err)
	}
	p.want(addReply(4)) // another worker has taken it over
	p.wantEnd()
	p.Close()
	r := <-done
	if len(r.Leaked) != 1 || !strings.HasPrefix(r.Leaked[0].Name, "server/pool/worker-") || !strings.Contains(r.Leaked[0].Stack, "hanging") {
		t.Errorf("leaked: %+v", r.Leaked)
	}
	if r.Forced != 1 || !errors.Is(r.Err(), understudy.ErrLeaked) || r.Counts.Answered != 3 {
		t.Errorf("report: %+v", r)
	}
	if err := <-h.served; !errors.Is(err, understudy.ErrLeaked) {
		t.Errorf("Serve: %v", err)
	}
}

// hanging is a service whose Echo hangs, once, until the test ends.
func hanging(t *testing.T) understudy.Handlers {
	release, returned := make(chan struct{}), make(chan struct{}, 1)
	t.Cleanup(func() {
		close(release)
		<-returned
	})
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		<-release
		returned <- struct{}{}
		return in, nil
	})
	understudy.Handle(s, func(_ context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
		return &messages.AddResponse{Result: in.A + in.B}, nil
	})
	return s
}

// A handler that waits for its context ends with it, and nothing is given up.
func TestShutdownCancelsContexts(t *testing.T) {
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, func(ctx context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	h := serve(t, understudy.Config{Service: s, Drain: 400 * time.Millisecond, Deadline: time.Minute})
	p := h.dial()
	p.send(p.frame(echoRequest("wait"))...)
	until(t, "the handler waits", func() bool { return h.Counts().WorkerBursts == 1 })
	go h.stop()
	p.want(errorReply(messages.Unavailable))
	p.wantEnd()
	p.Close()
	if r := h.stop(); len(r.Leaked) != 0 {
		t.Errorf("report: %+v", r)
	}
}

// Shutdown may be called by many, again, before Serve, and with a context that ends at once.
func TestShutdownTwiceAndFromAnyGoroutine(t *testing.T) {
	h := serve(t, understudy.Config{})
	p := h.dial()
	p.send(p.frame(addRequest(2, 40))...)
	p.want(addReply(42))
	p.Close()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := h.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if r := h.stop(); r.Counts.Answered != 1 {
		t.Errorf("report: %+v", r)
	}
	if err := h.Serve(context.Background()); !errors.Is(err, understudy.ErrServerClosed) {
		t.Errorf("Serve again: %v", err)
	}
}

func TestShutdownBeforeServe(t *testing.T) {
	s, err := understudy.New(understudy.Config{Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := s.Serve(context.Background()); !errors.Is(err, understudy.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
}

// An ended context has nothing to force on a server that has not served, or could not listen, and changes no report after the end.
func TestShutdownWithNothingToForce(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	served := serve(t, understudy.Config{})
	served.stop()
	for range 20 {
		for name, s := range map[string]*understudy.Server{"fresh": newServer(t), "in vain": inVain(t), "served": served.Server} {
			if r, err := s.Shutdown(ended); err != nil || r.Err() != nil {
				t.Fatalf("%s: %+v, %v", name, r, err)
			}
		}
	}
}

func newServer(t *testing.T, listen ...string) *understudy.Server {
	t.Helper()
	s, err := understudy.New(understudy.Config{Listen: listen})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// inVain returns a server that could not listen.
func inVain(t *testing.T) *understudy.Server {
	t.Helper()
	s := newServer(t, "unix:///dev/null/nothing")
	if err := s.Serve(context.Background()); err == nil {
		t.Fatal("it listens")
	}
	if err := s.Wait(context.Background()); err != nil {
		t.Errorf("Wait: %v", err)
	}
	return s
}

// A context that ends forces: what is in flight is not waited for.
func TestShutdownByForce(t *testing.T) {
	h := serve(t, understudy.Config{Service: hanging(t), Deadline: time.Minute, Drain: time.Minute})
	p := h.dial()
	p.send(p.frame(echoRequest("hang"))...)
	until(t, "the handler hangs", func() bool { return h.Counts().WorkerBursts == 1 })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := h.Shutdown(ctx)
	if !errors.Is(err, context.Canceled) || !r.ByForce || len(r.Leaked) != 1 || r.Counts.Unanswered != 1 {
		t.Errorf("report: %+v, %v", r, err)
	}
}

// A pill for the server's PID is a shutdown, and the end of Serve's context is one too.
func TestServeEndsWithItsContext(t *testing.T) {
	s, err := understudy.New(understudy.Config{Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	<-s.Ready()
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// Who has connected and sent before the drain begins is answered, even if nobody has accepted it yet.
func TestShutdownServesTheBacklog(t *testing.T) {
	for range 20 {
		h := serve(t, understudy.Config{})
		peers := make([]*peer, 100)
		for i := range peers {
			peers[i] = h.dial()
			m, _ := nth(i, 0)
			peers[i].send(peers[i].frame(m)...)
		}
		done := make(chan understudy.Report, 1)
		go func() { done <- h.stop() }()
		for i, p := range peers {
			_, w := nth(i, 0)
			p.want(w)
			p.wantEnd()
			p.Close()
		}
		if r := <-done; r.Counts.Answered != int64(len(peers)) || r.Drained != len(peers) || r.Err() != nil {
			t.Errorf("report: %+v", r)
		}
	}
}

// The server's PID speaks a protocol: a StatusRequest is answered, a PoisonPill drains.
func TestPID(t *testing.T) {
	h := serve(t, understudy.Config{})
	p := h.dial()
	p.send(p.frame(addRequest(2, 40))...)
	p.want(addReply(42))
	until(t, "the reply is counted, which comes after the writing", func() bool { return h.Counts().Answered == 1 })
	root := h.System().Root
	answer, err := root.RequestFuture(h.PID(), understudy.StatusRequest{}, patience).Result()
	status, ok := answer.(understudy.Status)
	if err != nil || !ok || status.Draining || status.Counts.Answered != 1 || status.Counts.Connections != 1 {
		t.Fatalf("got %+v, %v", answer, err)
	}
	root.Poison(h.PID())
	p.wantEnd()
	p.Close()
	if err := <-h.served; err != nil {
		t.Error(err)
	}
}

// A handler may shut its own server down: its request is answered, like all others that have arrived.
func TestShutdownFromAHandler(t *testing.T) {
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	var h *host
	understudy.Handle(s, func(ctx context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		_, err := h.Shutdown(ctx)
		return in, err
	})
	h = serve(t, understudy.Config{Service: s})
	p := h.dial()
	p.send(append(p.frame(echoRequest("last")), p.frame(echoRequest("orders"))...)...)
	p.want(echoReply("last"))
	p.want(echoReply("orders"))
	p.wantEnd()
	p.Close()
	if err := <-h.served; err != nil {
		t.Error(err)
	}
}
