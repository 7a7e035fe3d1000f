package understudy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// A key function that does not return costs the requests that were read with it their deadline; the connection goes on, and
// nothing goes on for ever: beyond MaxDetached such functions it is not read any more.
func TestHungKeyFunction(t *testing.T) {
	release := make(chan struct{})
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, echo, understudy.Key(func(in *messages.EchoMessage) string {
		if in.Content == "hang" {
			<-release
		}
		return in.Content
	}))
	understudy.Handle(s, func(context.Context, *messages.AddRequest) (*messages.AddResponse, error) {
		return &messages.AddResponse{}, nil
	})
	h := serve(t, understudy.Config{Service: s, Deadline: 100 * time.Millisecond, MaxDetached: 2})
	p, other := h.dial(), h.dial()
	for range 3 {
		p.send(append(p.frame(addRequest(0, 0)), p.frame(echoRequest("hang"))...)...)
		p.want(errorReply(messages.DeadlineExceeded))
		p.want(errorReply(messages.DeadlineExceeded))
		if h.Counts().Codes[messages.DeadlineExceeded] == 6 {
			break // the third is not read on
		}
		p.send(p.frame(echoRequest("goes on"))...)
		p.want(echoReply("goes on"))
	}
	other.send(other.frame(echoRequest("served"))...)
	other.want(echoReply("served"))
	p.send(p.frame(echoRequest("waits"))...)
	close(release)
	p.want(echoReply("waits"))
}

// witness watches a keyed handler: who is inside with which key, and in which order each connection's requests came.
type witness struct {
	t      *testing.T
	mu     sync.Mutex
	inside map[string]context.Context // by key
	last   map[string]int             // by key and connection
	calls  int
}

// enter notes that the request "key:connection:number:what" is being handled.
func (w *witness) enter(ctx context.Context, content string) (leave func()) {
	var connection string
	var number int
	key, rest, _ := strings.Cut(content, ":")
	connection, rest, _ = strings.Cut(rest, ":")
	_, _ = fmt.Sscanf(rest, "%d", &number)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if ctx.Err() != nil {
		return func() {} // it begins as its deadline passes, and holds nothing any more
	}
	if other := w.inside[key]; other != nil && other.Err() == nil {
		w.t.Errorf("two handlers have the key %s at once", key)
	}
	if last, seen := w.last[key+":"+connection]; seen && last >= number {
		w.t.Errorf("connection %s, key %s: request %d comes after %d", connection, key, number, last)
	}
	w.inside[key], w.last[key+":"+connection] = ctx, number
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.inside[key] == ctx {
			delete(w.inside, key)
		}
	}
}

func keyOf(in *messages.EchoMessage) string {
	key, _, _ := strings.Cut(in.Content, ":")
	return key
}

// Under crashes, stalls, hangs, clients that go away, and a pool that grows: of each key one request at a time, each
// connection's in order, and each request has its reply in its place.
func TestKeysKeepTheirOrder(t *testing.T) {
	const connections, each, keys = 12, 400, 7
	w := &witness{t: t, inside: make(map[string]context.Context), last: make(map[string]int)}
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, func(ctx context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		defer w.enter(ctx, in.Content)()
		switch {
		case strings.HasSuffix(in.Content, ":crash"):
			panic("as it was told")
		case strings.HasSuffix(in.Content, ":exit"):
			runtime.Goexit()
		case strings.HasSuffix(in.Content, ":stall"):
			timer := time.NewTimer(20 * time.Millisecond) // longer than Stall: what is behind it is taken away, and waits for it
			<-timer.C
		case strings.HasSuffix(in.Content, ":hang"):
			<-ctx.Done()
		}
		return in, nil
	}, understudy.Key(keyOf))
	understudy.Handle(s, func(_ context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
		return &messages.AddResponse{Result: in.A + in.B}, nil
	})
	h := serve(t, understudy.Config{Service: s, Workers: 1, MaxWorkers: 8, Stall: 5 * time.Millisecond, Deadline: 2 * time.Second})

	leaver := h.dial() // goes away while its request holds a key
	leaver.send(leaver.frame(echoRequest("0:leaver:0:hang"))...)
	until(t, "the leaver is handled", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.calls == 1 })
	leaver.Close()

	var all sync.WaitGroup
	for c := range connections {
		p := h.dial()
		rnd := rand.New(rand.NewPCG(uint64(c), 11))
		contents := make([]string, each)
		for i := range contents {
			what := ""
			switch n := rnd.IntN(400); {
			case n < 8:
				what = "crash"
			case n < 10:
				what = "exit"
			case n < 12:
				what = "stall"
			case i == each/2 && c%6 == 1:
				what = "hang"
			}
			contents[i] = fmt.Sprintf("%d:%d:%d:%s", rnd.IntN(keys), c, i, what)
		}
		all.Go(func() {
			var b []byte
			for i, content := range contents {
				b = append(b, p.frame(echoRequest(content))...)
				if i%5 == 0 {
					b = append(b, p.frame(addRequest(int32(c), int32(i)))...)
				}
				if rnd.IntN(10) == 0 || i == each-1 {
					p.send(b...)
					b = b[:0]
				}
			}
		})
		all.Go(func() {
			for i, content := range contents {
				m, err := p.next()
				if err != nil {
					t.Errorf("connection %d: reply %d: %v", c, i, err)
					return
				}
				code := messages.Code(m.GetError().GetCode())
				switch {
				case strings.HasSuffix(content, "crash"), strings.HasSuffix(content, "exit"):
					if code != messages.Internal && code != messages.DeadlineExceeded {
						t.Errorf("connection %d: reply %d: got %v", c, i, m)
					}
				case code == messages.DeadlineExceeded: // it waited for one that hangs
				case m.GetEchoMessage().GetContent() != content:
					t.Errorf("connection %d: reply %d: got %v, want %s", c, i, m, content)
				}
				if i%5 == 0 {
					p.want(addReply(int32(c + i)))
				}
			}
		})
	}
	all.Wait()
	st := h.Status()
	if st.Pool.Queue.Now != 0 || st.Pool.HeldUp != 0 {
		t.Errorf("something waits at the end: %+v", st.Pool)
	}
	// Every key can be had again.
	p := h.dial()
	for key := range keys {
		content := fmt.Sprintf("%d:end:1:", key)
		p.send(p.frame(echoRequest(content))...)
		p.want(echoReply(content))
	}
}

// A hung handler holds up its own key until its deadline, and no other.
func TestHungKeyHoldsUpNoOther(t *testing.T) {
	puppet := newPuppet(t)
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, puppet.echo, understudy.Key(func(in *messages.EchoMessage) string {
		if in.Content == "hang" || in.Content == "behind it" {
			return "hung"
		}
		return "other"
	}))
	h := serve(t, understudy.Config{Service: s, Workers: 2, Stall: 5 * time.Millisecond, Deadline: 300 * time.Millisecond})
	first, behind, other := h.dial(), h.dial(), h.dial()
	first.send(first.frame(echoRequest("hang"))...)
	until(t, "it hangs", func() bool { return puppet.inside.Load() == 1 })
	behind.send(behind.frame(echoRequest("behind it"))...)
	for i := range 50 {
		other.send(other.frame(echoRequest(fmt.Sprint("request ", i)))...)
		other.want(echoReply(fmt.Sprint("request ", i)))
	}
	first.want(errorReply(messages.DeadlineExceeded))
	// It arrived later, and so has time left when the key is free.
	if m, err := behind.next(); err != nil || (m.GetEchoMessage().GetContent() != "behind it" && m.GetError().GetCode() != int32(messages.DeadlineExceeded)) {
		t.Errorf("got %v, %v", m, err)
	}
	behind.send(behind.frame(echoRequest("behind it"))...)
	behind.want(echoReply("behind it")) // the handler still hangs, and holds nothing
	if puppet.inside.Load() != 1 {
		t.Error("the handler has returned")
	}

	// The same, if the connection of the one that hangs is gone.
	gone := h.dial()
	gone.send(gone.frame(echoRequest("hang"))...)
	until(t, "another hangs", func() bool { return puppet.inside.Load() == 2 })
	gone.Close()
	until(t, "the key is free again", func() bool {
		behind.send(behind.frame(echoRequest("behind it"))...)
		m, err := behind.next()
		if err != nil {
			t.Fatal(err)
		}
		return m.GetEchoMessage().GetContent() == "behind it"
	})
	puppet.letGo()
}

// A key function that panics, or ends its goroutine, costs its own request.
func TestKeyFunctionCrashes(t *testing.T) {
	var exits atomic.Int64
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) { return in, nil },
		understudy.Key(func(in *messages.EchoMessage) string {
			switch in.Content {
			case "crash":
				panic("as it was told")
			case "exit":
				runtime.Goexit()
			case "exit at first":
				if exits.Add(1)%2 == 1 {
					runtime.Goexit()
				}
			}
			return in.Content
		}))
	h := serve(t, understudy.Config{Service: s, Workers: 2})
	p := h.dial()
	for round := range 24 {
		bad := []string{"crash", "exit"}[round%2]
		burst := [][]string{{"one", bad, "two", bad, "three"}, {bad, "two", bad}, {bad}}[round%3]
		var b []byte
		for _, content := range burst {
			b = append(b, p.frame(echoRequest(content))...)
		}
		p.send(b...)
		for _, content := range burst {
			if content != bad {
				p.want(echoReply(content))
				continue
			}
			m, err := p.next()
			if err != nil || m.GetError().GetCode() != int32(messages.Internal) || m.GetError().GetIncidentId() == "" {
				t.Fatalf("round %d: got %v, %v", round, m, err)
			}
		}
	}
	for range 5 { // it ends the reader's goroutine, and then not its worker's
		p.send(p.frame(echoRequest("exit at first"))...)
		p.want(errorReply(messages.Internal))
	}
	// What does not decode has no key, and is answered all the same.
	p.send(append([]byte{4, 10, 2, 10, 5}, p.frame(echoRequest("after"))...)...)
	p.want(errorReply(messages.InvalidArgument))
	p.want(echoReply("after"))
}

// When a handler stalls, and returns at just the time at which the rest of its burst is handed to other workers, the order
// of its key is kept.
func TestDetachedKeyKeepsItsOrder(t *testing.T) {
	const each, rounds = 1000, 30
	var mu sync.Mutex
	var order []int
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		var i int
		_, _ = fmt.Sscanf(in.Content, "%d", &i)
		mu.Lock()
		order = append(order, i)
		round := len(order) / each
		mu.Unlock()
		if i == 0 {
			timer := time.NewTimer(time.Duration(5000+500*(round%5)) * time.Microsecond)
			<-timer.C
		}
		return in, nil
	}, understudy.Key(func(*messages.EchoMessage) string { return "one for all" }))
	h := serve(t, understudy.Config{Service: s, Workers: 4, Stall: 5 * time.Millisecond, Deadline: patience})
	for round := range rounds {
		p := h.dial()
		var b []byte
		for i := range each {
			b = append(b, p.frame(echoRequest(fmt.Sprint(i)))...)
		}
		p.send(b...)
		for i := range each {
			p.want(echoReply(fmt.Sprint(i)))
		}
		p.Close()
		mu.Lock()
		for i, n := range order[round*each:] {
			if n != i {
				t.Fatalf("round %d: request %d was handled in place %d", round, n, i)
			}
		}
		mu.Unlock()
	}
}
