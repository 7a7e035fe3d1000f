package understudy_test

import (
	"bytes"
	"context"
	"errors"
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

// sessions is a service whose Echo knows its session: what its content says is done to it.
type sessions struct {
	opened chan *understudy.Session
	closed chan *understudy.Session
}

var greeting = understudy.NewSessionKey[string]("greeting")

func newSessions() *sessions {
	return &sessions{opened: make(chan *understudy.Session, 1000), closed: make(chan *understudy.Session, 1000)}
}

func (s *sessions) service() *understudy.Service[*messages.ClientMessage, *messages.ServerMessage] {
	service := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(service, s.echo)
	service.OnOpened(func(session *understudy.Session) {
		greeting.Set(session, fmt.Sprint("hello ", session.ID()))
		s.opened <- session
	})
	service.OnClosed(func(session *understudy.Session) { s.closed <- session })
	return service
}

func (s *sessions) echo(ctx context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
	session := understudy.SessionOf(ctx)
	switch in.Content {
	case "greeting":
		value, ok := greeting.Get(session)
		return &messages.EchoMessage{Content: fmt.Sprint(value, " ", ok)}, nil
	case "push":
		for i := range 3 {
			if err := session.Push(ctx, pushed(i)); err != nil {
				return nil, err
			}
		}
	case "close":
		session.Close()
	}
	return in, nil
}

// of waits for the session of a peer.
func (s *sessions) of(p *peer) *understudy.Session {
	for session := range s.opened {
		if session.RemoteAddr().String() == p.LocalAddr().String() {
			return session
		}
	}
	return nil
}

// pushed is a message of the server's own.
func pushed(i int) *messages.AddResponse { return &messages.AddResponse{Result: int32(i)} }

// A handler knows its connection: what was remembered of it before its first request, and what to say to it unasked, which
// arrives before the reply, in order.
func TestSession(t *testing.T) {
	s := newSessions()
	h := serve(t, understudy.Config{Service: s.service()})
	p := h.dial()
	p.send(p.frame(echoRequest("greeting"))...)
	p.want(echoReply("hello 1 true"))
	p.send(append(p.frame(echoRequest("before")), p.frame(echoRequest("push"))...)...)
	for i := range 3 {
		p.want(addReply(int32(i)))
	}
	p.want(echoReply("before")) // replies of a burst leave together, and pushes do not wait for them
	p.want(echoReply("push"))

	session := <-s.opened
	if session.ID() != 1 || session.RemoteAddr().String() != p.LocalAddr().String() || session.LocalAddr().String() != p.RemoteAddr().String() || session.PID() == nil {
		t.Errorf("session %d from %v at %v, %v", session.ID(), session.RemoteAddr(), session.LocalAddr(), session.PID())
	}
	if session.Principal() != "" {
		t.Errorf("nobody has said who the peer is, and it is %q", session.Principal())
	}
	if session.SetPrincipal("alice"); session.Principal() != "alice" {
		t.Errorf("alice is %q", session.Principal())
	}
	greeting.Delete(session)
	p.send(p.frame(echoRequest("greeting"))...)
	p.want(echoReply(" false"))

	// From outside of any handler, and in whichever order with a request: it is whole, and comes once.
	if err := session.TryPush(pushed(7)); err != nil {
		t.Error(err)
	}
	p.want(addReply(7))

	for name, err := range map[string]error{
		"nil":          session.TryPush(nil),
		"a typed nil":  session.TryPush((*messages.AddResponse)(nil)),
		"no such arm":  session.Push(context.Background(), &messages.AddRequest{}),
		"invalid text": session.TryPush(&messages.EchoMessage{Content: "\xff"}),
	} {
		if err == nil || (!errors.Is(err, messages.InvalidArgument) && name != "invalid text") {
			t.Errorf("%s: %v", name, err)
		}
	}

	p.send(p.frame(echoRequest("close"))...)
	p.want(echoReply("close"))
	p.wantEnd()
	p.Close()
	if closed := <-s.closed; closed != session {
		t.Error("another session was closed")
	}
	if err := session.Push(context.Background(), pushed(0)); !errors.Is(err, messages.Unavailable) {
		t.Errorf("a push to a closed session: %v", err)
	}
	session.Close()
	if understudy.SessionOf(context.Background()) != nil {
		t.Error("there is a session outside of a handler")
	}
	if c := h.Counts(); c.Pushed != 4 || c.PushesSent != 4 {
		t.Errorf("counts: %+v", c)
	}
}

// A peer that does not read is pushed as much as its window has room for; then who pushes waits, or is told so, and
// nobody else is held up. When the peer reads, or is gone, who waits goes on.
func TestPushToWhoDoesNotRead(t *testing.T) {
	s := newSessions()
	h := serve(t, understudy.Config{Service: s.service(), WindowBytes: 64 << 10, SendBuffer: 16 << 10, WriteTimeout: patience})
	deaf, other := h.dial(), h.dial()
	deaf.send(deaf.frame(echoRequest("hello"))...)
	deaf.want(echoReply("hello"))
	session := s.of(deaf)
	large := &messages.EchoMessage{Content: string(bytes.Repeat([]byte("x"), 30_000))}
	taken := 0
	err := session.TryPush(large)
	for ; err == nil; err = session.TryPush(large) {
		taken++
	}
	if !errors.Is(err, messages.ResourceExhausted) {
		t.Fatalf("after %d pushes: %v", taken, err)
	}
	// The kernel may still take some: only a push that waits in vain says that it is full for good.
	push := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		return session.Push(ctx, large)
	}
	for err = push(); err == nil; err = push() {
		taken++
	}
	if !errors.Is(err, messages.DeadlineExceeded) {
		t.Errorf("a push that waits in vain: %v", err)
	}
	other.send(other.frame(echoRequest("push"))...)
	for i := range 3 {
		other.want(addReply(int32(i)))
	}
	other.want(echoReply("push"))

	waits := make(chan error, 1)
	go func() { waits <- session.Push(context.Background(), pushed(42)) }()
	for range taken {
		deaf.want(echoReply(large.Content))
	}
	if err := <-waits; err != nil {
		t.Error(err)
	}
	deaf.want(addReply(42))

	// fill pushes, and waits for room, until there is no session.
	fill := func(session *understudy.Session) {
		var err error
		for err == nil {
			err = session.Push(context.Background(), large)
		}
		waits <- err
	}
	untilFull(t, session, large)
	go fill(session)
	deaf.Close()
	if err := <-waits; !errors.Is(err, messages.Unavailable) {
		t.Errorf("a push to a peer that has gone: %v", err)
	}

	deaf = h.dial()
	session = s.of(deaf)
	untilFull(t, session, large)
	go fill(session)
	h.System().Root.Stop(session.PID())
	if err := <-waits; !errors.Is(err, messages.Unavailable) {
		t.Errorf("a push to a session that was stopped: %v", err)
	}
}

func untilFull(t *testing.T, session *understudy.Session, m *messages.EchoMessage) {
	t.Helper()
	var err error
	for err == nil {
		err = session.TryPush(m)
	}
	if !errors.Is(err, messages.ResourceExhausted) {
		t.Fatal(err)
	}
}

// Pushes from everywhere, while sessions crash again and again: each comes once, whole, each pusher's in their order, and
// the replies are in theirs.
func TestPushUnderSessionCrashes(t *testing.T) {
	const pushers, each = 4, 2000
	s := newSessions()
	h := serve(t, understudy.Config{Service: s.service(), Faults: []string{"panic session/* every=1ms count=9 seed=1"}})
	p := h.dial()
	p.send(p.frame(echoRequest("first"))...)
	p.want(echoReply("first"))
	session := <-s.opened
	var all sync.WaitGroup
	for n := range pushers {
		all.Go(func() {
			for i := range each {
				if err := session.Push(context.Background(), pushed(n*each+i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Go(func() {
		var b []byte
		for i := range each {
			b = append(b, p.frame(echoRequest(fmt.Sprint(i)))...)
			if i%50 == 49 {
				p.send(b...)
				b = b[:0]
			}
		}
	})
	var next [pushers]int
	replies := 0
	for range pushers*each + each {
		m, err := p.next()
		if err != nil {
			t.Fatal(err)
		}
		if echo := m.GetEchoMessage(); echo != nil {
			if echo.Content != fmt.Sprint(replies) {
				t.Fatalf("reply %d is %v", replies, m)
			}
			replies++
			continue
		}
		v := int(m.GetAddResponse().GetResult())
		if n := v / each; v%each != next[n] {
			t.Fatalf("pusher %d: got %d, want %d", n, v%each, next[n])
		} else {
			next[n]++
		}
	}
	all.Wait()
	p.Close()
	if c := h.stop().Counts; c.Pushed != pushers*each || c.PushesSent != pushers*each {
		t.Errorf("counts: %+v", c)
	}
	if struck(h) == 0 {
		t.Error("no session crashed")
	}
}

// Hooks that panic harm nobody, and one that blocks holds up its own connection only.
func TestHooksMisbehave(t *testing.T) {
	log := new(syncBuffer)
	release := make(chan struct{})
	service := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(service, func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) { return in, nil })
	service.OnOpened(func(session *understudy.Session) {
		switch session.ID() {
		case 1:
			<-release
		case 2:
			runtime.Goexit()
		}
		panic("opened")
	})
	service.OnClosed(func(*understudy.Session) { panic("closed") })
	h := serve(t, understudy.Config{Service: service, Logger: log.logger()})
	held, other := h.dial(), h.dial()
	held.send(held.frame(echoRequest("held up"))...)
	for range 100 {
		other.send(other.frame(echoRequest("served"))...)
		other.want(echoReply("served"))
	}
	if h.Counts().Decoded != 100 {
		t.Error("a request was read before its connection's hook has returned")
	}
	close(release)
	held.want(echoReply("held up"))
	held.Close()
	other.Close()
	h.stop()
	for _, want := range []string{"opened", "closed", "session-1"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in the log:\n%s", want, log.String())
		}
	}

	service.OnOpened(nil)
	service.OnClosed(func(*understudy.Session) {})
	again := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	again.OnOpened(nil)
	again.OnClosed(func(*understudy.Session) {})
	again.OnClosed(func(*understudy.Session) {})
	_, err := understudy.New(understudy.Config{Service: again})
	for _, want := range []string{"OnOpened is given a nil function", "OnClosed is called twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

// OnClosed waits for OnOpened: what the one sets up the other can take down, also if the connection ends meanwhile.
func TestHooksInOrder(t *testing.T) {
	opening, release := make(chan *understudy.Session, 1), make(chan struct{})
	var opened atomic.Bool
	closed := make(chan bool, 1)
	service := echoService(echo)
	service.OnOpened(func(session *understudy.Session) {
		opening <- session
		<-release
		opened.Store(true)
	})
	service.OnClosed(func(*understudy.Session) { closed <- opened.Load() })
	h := serve(t, understudy.Config{Service: service})
	h.dial()
	h.System().Root.Stop((<-opening).PID())
	until(t, "the connection is closed", func() bool { return h.Counts().Connections == 0 })
	close(release)
	if !<-closed {
		t.Error("the hook for closed connections did not wait for the one for opened ones")
	}
}

// What was taken to be pushed is written, also if the connection is told to end at that moment.
func TestPushBeforeTheEnd(t *testing.T) {
	s := newSessions()
	h := serve(t, understudy.Config{Service: s.service()})
	for i := range 300 {
		p := h.dial()
		session := <-s.opened
		var all sync.WaitGroup
		var taken atomic.Int64
		some := make(chan struct{})
		for range 3 {
			all.Go(func() {
				for range 20 {
					if session.TryPush(pushed(i)) != nil {
						return
					}
					if taken.Add(1) == 10 {
						close(some)
					}
				}
			})
		}
		<-some
		session.Close()
		all.Wait()
		for range taken.Load() {
			p.want(addReply(int32(i)))
		}
		p.wantEnd()
		p.Close()
	}
	if c := h.stop().Counts; c.Pushed != c.PushesSent || c.Pushed == 0 {
		t.Errorf("counts: %+v", c)
	}
}
