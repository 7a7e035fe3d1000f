package understudy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/router"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

func addUp(ctx actor.Context) {
	if m, ok := ctx.Message().(*messages.AddRequest); ok {
		ctx.Respond(&messages.AddResponse{Result: m.A + m.B})
	}
}

// asking returns a service whose additions go to an actor, and whose echoes go to a function.
func asking(pid *actor.PID, options ...understudy.HandlerOption) *understudy.Service[*messages.ClientMessage, *messages.ServerMessage] {
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.HandleActor[messages.AddRequest](s, pid, options...)
	understudy.Handle(s, func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) { return in, nil })
	return s
}

// spawnAsking starts a server whose additions f handles, as an actor; the test's end shuts it down.
func spawnAsking(t *testing.T, c understudy.Config, f actor.ReceiveFunc, options ...understudy.HandlerOption) (*host, *actor.PID) {
	t.Helper()
	system := hostSystem()
	pid := system.Root.Spawn(actor.PropsFromFunc(f))
	c.Service = asking(pid, options...)
	h := spawn(t, system.Root, "server", c)
	t.Cleanup(func() {
		h.stop()
		_ = system.Root.StopFuture(pid).Wait() // it may have ended before
	})
	return h, pid
}

// Requests for an actor and for a function, pipelined: every reply in its place.
func TestHandleActor(t *testing.T) {
	h, _ := spawnAsking(t, understudy.Config{Deadline: patience}, addUp)
	var wg sync.WaitGroup
	for c := range 20 {
		p := h.dial()
		const n = 2000
		wg.Go(func() {
			var all []byte
			for i := range n {
				m, _ := nth(c, i)
				all = append(all, p.frame(m)...)
			}
			if _, err := p.Write(all); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			for i := range n {
				got, err := p.next()
				if _, want := nth(c, i); err != nil || !proto.Equal(got, want) {
					t.Errorf("connection %d, request %d: got %v, %v", c, i, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A router that the user brings is a fine handler.
func TestHandleRouter(t *testing.T) {
	system := hostSystem()
	pid := system.Root.Spawn(router.NewRoundRobinPool(5, actor.WithFunc(addUp)))
	h := spawn(t, system.Root, "server", understudy.Config{Service: asking(pid)})
	t.Cleanup(func() {
		h.stop()
		system.Root.Stop(pid)
	})
	p := h.dial()
	for i := range int32(100) {
		p.send(p.frame(addRequest(i, 1))...)
	}
	for i := range int32(100) {
		p.want(addReply(i + 1))
	}
}

// An actor that keeps the sender may respond whenever it likes, in any order: the replies are in that of the requests.
func TestActorRespondsLater(t *testing.T) {
	const n = 10
	var kept []*actor.PID
	h, _ := spawnAsking(t, understudy.Config{}, func(ctx actor.Context) {
		if _, ok := ctx.Message().(*messages.AddRequest); !ok {
			return
		}
		if kept = append(kept, ctx.Sender()); len(kept) < n {
			return
		}
		for i, sender := range slices.Backward(kept) {
			ctx.Send(sender, &messages.AddResponse{Result: int32(i)})
			ctx.Send(sender, &messages.AddResponse{Result: -1}) // once too often
		}
	})
	p := h.dial()
	for i := range int32(n) {
		p.send(p.frame(addRequest(i, i))...)
	}
	for i := range int32(n) {
		p.want(addReply(i))
	}
	until(t, "late responses are counted", func() bool { return h.Counts().Late == n })
}

func TestActorResponds(t *testing.T) {
	responses := map[int32]any{
		0: messages.NotFound,
		1: &messages.Status{Code: messages.Aborted, Message: "no"},
		2: errors.New("plain"),
		3: "a string",
		4: nil,
		5: &messages.AddRequest{}, // no arm in the replies
		6: &messages.EchoMessage{Content: "\xff"},
		7: &messages.EchoMessage{Content: "of another arm"},
		8: struct{}{},
	}
	want := []*messages.ServerMessage{
		errorReply(messages.NotFound), errorReply(messages.Aborted), errorReply(messages.Unknown), errorReply(messages.Internal),
		errorReply(messages.Internal), errorReply(messages.Internal), errorReply(messages.Internal), echoReply("of another arm"),
		errorReply(messages.Internal),
	}
	log := new(syncBuffer)
	h, _ := spawnAsking(t, understudy.Config{Logger: log.logger()}, func(ctx actor.Context) {
		if m, ok := ctx.Message().(*messages.AddRequest); ok {
			ctx.Respond(responses[m.A])
		}
	})
	p := h.dial()
	for i := range want {
		p.send(p.frame(addRequest(int32(i), 0))...)
	}
	for _, w := range want {
		p.want(w)
	}
	until(t, "the log names what was responded", func() bool { return strings.Contains(log.String(), "responded with *messages.AddRequest") })
}

// An actor that never responds costs each request its deadline, and nobody else anything.
func TestActorNeverResponds(t *testing.T) {
	h, _ := spawnAsking(t, understudy.Config{}, func(actor.Context) {}, understudy.Deadline(30*time.Millisecond))
	deaf, other := h.dial(), h.dial()
	for range 100 {
		deaf.send(deaf.frame(addRequest(1, 1))...)
	}
	for range 100 {
		other.send(other.frame(echoRequest("x"))...)
		other.want(echoReply("x"))
	}
	for range 100 {
		deaf.want(errorReply(messages.DeadlineExceeded))
	}
	if s := h.Status(); s.Pool.Detached.Now != 0 || s.Asked.Now != 0 || s.Pool.Workers != s.Pool.Idle {
		t.Errorf("something is left: %+v", s)
	}
}

// The end of an actor is told at once to whoever waits for it, and to whoever asks it afterwards; a successor of its name is
// asked again.
func TestActorEnds(t *testing.T) {
	system := hostSystem()
	silent := actor.PropsFromFunc(func(actor.Context) {})
	pid, err := system.Root.SpawnNamed(silent, "adder")
	if err != nil {
		t.Fatal(err)
	}
	h := spawn(t, system.Root, "server", understudy.Config{Service: asking(pid), Deadline: patience})
	t.Cleanup(func() { h.stop() })
	p := h.dial()
	p.send(append(p.frame(addRequest(1, 1)), p.frame(addRequest(2, 2))...)...)
	until(t, "the actor has both", func() bool { return h.Status().Asked.Now == 2 })
	if err := system.Root.StopFuture(pid).Wait(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p.want(errorReply(messages.Unavailable))
	}
	p.send(p.frame(addRequest(3, 3))...)
	p.want(errorReply(messages.Unavailable))
	p.send(p.frame(echoRequest("others go on"))...)
	p.want(echoReply("others go on"))

	successor, err := system.Root.SpawnNamed(actor.PropsFromFunc(addUp), "adder")
	if err != nil {
		t.Fatal(err)
	}
	defer system.Root.Stop(successor)
	p.send(p.frame(addRequest(4, 4))...)
	p.want(addReply(8))
}

// As many requests wait for actors as Config.Queue says; one more is refused.
func TestTooManyAsked(t *testing.T) {
	h, pid := spawnAsking(t, understudy.Config{Queue: 10, Deadline: patience}, func(actor.Context) {})
	p := h.dial()
	for range 10 {
		p.send(p.frame(addRequest(1, 1))...)
	}
	until(t, "ten are asked", func() bool { return h.Status().Asked.Now == 10 })
	other := h.dial()
	other.send(other.frame(addRequest(1, 1))...)
	other.want(errorReply(messages.ResourceExhausted))
	h.System().Root.Stop(pid)
	for range 10 {
		p.want(errorReply(messages.Unavailable))
	}
}

// A drain waits for what actors were asked; what they do not respond to gets UNAVAILABLE in time.
func TestDrainWithAskedActors(t *testing.T) {
	h, _ := spawnAsking(t, understudy.Config{Deadline: patience, Drain: 600 * time.Millisecond}, func(actor.Context) {})
	p := h.dial()
	p.send(p.frame(addRequest(1, 1))...)
	until(t, "the actor has it", func() bool { return h.Status().Asked.Now == 1 })
	go h.System().Root.Poison(h.PID())
	p.want(errorReply(messages.Unavailable))
	p.wantEnd()
	if r := h.stop(); r.Counts.Answered != 1 || len(r.Leaked) != 0 {
		t.Errorf("%+v", r)
	}
}

// Whoever leaves leaves nothing behind: at the deadline at the latest.
func TestPeerLeavesAskedActor(t *testing.T) {
	h, _ := spawnAsking(t, understudy.Config{}, func(actor.Context) {}, understudy.Deadline(50*time.Millisecond))
	for range 20 {
		p := h.dial()
		p.send(p.frame(addRequest(1, 1))...)
		until(t, "the actor has it", func() bool { return h.Counts().InFlight > 0 })
		p.Close()
	}
	until(t, "nothing is asked any more", func() bool { s := h.Status(); return s.Asked.Now == 0 && s.Connections.Now == 0 })
}

func TestServeRefusesActors(t *testing.T) {
	s, err := understudy.New(understudy.Config{Service: asking(actor.NewPID("nonhost", "somebody")), Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context()); !errors.Is(err, understudy.ErrOwnSystem) {
		t.Errorf("got %v", err)
	}
}

func TestHandleActorMistakes(t *testing.T) {
	pid := actor.NewPID("nonhost", "somebody")
	for want, f := range map[string]func(*understudy.Service[*messages.ClientMessage, *messages.ServerMessage]){
		"the PID is nil or empty": func(s *understudy.Service[*messages.ClientMessage, *messages.ServerMessage]) {
			understudy.HandleActor[messages.AddRequest](s, nil)
		},
		"arm add_request: Idempotent, Slow, With is not for actors": func(s *understudy.Service[*messages.ClientMessage, *messages.ServerMessage]) {
			understudy.HandleActor[messages.AddRequest](s, pid, understudy.Slow(), understudy.Idempotent(), understudy.With(passOn))
		},
		"has no arm nothing": func(s *understudy.Service[*messages.ClientMessage, *messages.ServerMessage]) {
			understudy.HandleActor[messages.AddRequest](s, pid, understudy.ReplyArm("nothing"))
		},
		"envelope understudy.v1.ClientMessage has no arm of type understudy.v1.AddResponse": func(s *understudy.Service[*messages.ClientMessage, *messages.ServerMessage]) {
			understudy.HandleActor[messages.AddResponse](s, pid)
		},
		"arm add_request is handled twice": func(s *understudy.Service[*messages.ClientMessage, *messages.ServerMessage]) {
			understudy.HandleActor[messages.AddRequest](s, pid)
			understudy.HandleActor[messages.AddRequest](s, pid)
		},
		"the middleware of Use does not stand around the actor that handles arm add_request": func(s *understudy.Service[*messages.ClientMessage, *messages.ServerMessage]) {
			s.Use(passOn)
			understudy.HandleActor[messages.AddRequest](s, pid)
		},
		"Unwrapped is for actors": func(s *understudy.Service[*messages.ClientMessage, *messages.ServerMessage]) {
			understudy.Handle(s, func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) { return in, nil }, understudy.Unwrapped())
		},
		"Deadline is 1ns, and must be at least 1ms": func(s *understudy.Service[*messages.ClientMessage, *messages.ServerMessage]) {
			understudy.HandleActor[messages.AddRequest](s, pid, understudy.Deadline(1))
		},
	} {
		s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
		f(s)
		if _, err := understudy.New(understudy.Config{Service: s}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	s.Use(passOn)
	understudy.HandleActor[messages.AddRequest](s, pid, understudy.Unwrapped())
	if _, err := understudy.New(understudy.Config{Service: s}); err != nil {
		t.Error(err)
	}
}

func passOn(_ string, next understudy.HandlerFunc) understudy.HandlerFunc { return next }

// A handler's own deadline stands in place of the server's, while it is called and while it waits for a worker, also behind
// requests that have more time.
func TestHandlersOwnDeadline(t *testing.T) {
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	hold := make(chan struct{})
	understudy.Handle(s, func(ctx context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		<-hold
		return in, nil
	})
	understudy.Handle(s, func(ctx context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, understudy.Deadline(20*time.Millisecond))
	h := serve(t, understudy.Config{Service: s, Workers: 1, Deadline: patience, Stall: patience})
	defer close(hold)
	p := h.dial()
	p.send(p.frame(addRequest(1, 1))...)
	p.want(errorReply(messages.DeadlineExceeded))

	busy := h.dial()
	busy.send(busy.frame(echoRequest("holds the only worker"))...)
	until(t, "the worker is held", func() bool { return h.Status().Pool.Idle == 0 })
	p.send(append(p.frame(echoRequest("waits")), p.frame(addRequest(1, 1))...)...)
	until(t, "the second has timed out in the queue, behind the first", func() bool { return h.Counts().Codes[messages.DeadlineExceeded] == 2 })
	hold <- struct{}{}
	busy.want(echoReply("holds the only worker"))
	hold <- struct{}{}
	p.want(echoReply("waits"))
	p.want(errorReply(messages.DeadlineExceeded))
}

// An actor knows whose request it handles, also one that it was forwarded to, and until it has responded.
func TestContextOf(t *testing.T) {
	type seen struct {
		session, late bool
		deadline      time.Time
		id            uint64
	}
	seens := make(chan seen, 1)
	system := hostSystem()
	adder := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		m, ok := ctx.Message().(*messages.AddRequest)
		if !ok {
			return
		}
		var is seen
		request, ok := understudy.ContextOf(ctx)
		if session := understudy.SessionOf(request); ok && session != nil {
			is.session, is.id = true, session.ID()
			is.deadline, _ = request.Deadline()
			_ = session.TryPush(&messages.EchoMessage{Content: "pushed by the actor"})
		}
		ctx.Respond(&messages.AddResponse{Result: m.A + m.B})
		_, is.late = understudy.ContextOf(ctx)
		if request.Err() == nil {
			t.Error("the context of an answered request has not ended")
		}
		seens <- is
	}))
	front := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *messages.AddRequest:
			ctx.Forward(adder)
		case string:
			_, ok := understudy.ContextOf(ctx)
			ctx.Respond(ok)
		}
	}))
	h := spawn(t, system.Root, "server", understudy.Config{Service: asking(front), Deadline: patience})
	t.Cleanup(func() {
		h.stop()
		system.Root.Stop(front)
		system.Root.Stop(adder)
	})
	h.dial()
	p := h.dial()
	before := time.Now()
	p.send(p.frame(addRequest(2, 40))...)
	p.want(echoReply("pushed by the actor"))
	p.want(addReply(42))
	is := <-seens
	if !is.session || is.late || is.deadline.Before(before) || is.deadline.After(time.Now().Add(patience)) {
		t.Errorf("got %+v", is)
	}
	if is.id == 0 {
		t.Error("the session has no number")
	}
	if ok, err := system.Root.RequestFuture(front, "no request of a server", patience).Result(); err != nil || ok != false {
		t.Errorf("got %v, %v", ok, err)
	}
}
