package understudy_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/router"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// An actor that is just ending — out of its system's registry, its watchers not told yet — is one that has ended: what the
// library answers in its place is no response of its own.
func TestAskedActorIsEnding(t *testing.T) {
	stopped, goOn := make(chan struct{}), make(chan struct{})
	h, pid := spawnAsking(t, understudy.Config{Deadline: patience}, func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *messages.AddRequest:
			addUp(ctx)
		case *actor.Stopped:
			close(stopped)
			<-goOn
		}
	})
	defer close(goOn)
	p := h.dial()
	p.send(p.frame(addRequest(1, 1))...)
	p.want(addReply(2)) // it is watched
	h.System().Root.Stop(pid)
	<-stopped
	p.send(p.frame(addRequest(1, 1))...)
	p.want(errorReply(messages.Unavailable))
	if c := h.Counts(); c.Late != 0 {
		t.Errorf("%d late responses, and there was none", c.Late)
	}
}

// A response that is nothing, but has a type, is no reply, and still leads to one.
func TestActorRespondsWithNil(t *testing.T) {
	responses := map[int32]any{
		0: (*messages.Status)(nil),
		1: fmt.Errorf("wrapped: %w", (*messages.Status)(nil)),
		2: (*messages.AddResponse)(nil),
		3: (*messages.EchoMessage)(nil),
	}
	h, _ := spawnAsking(t, understudy.Config{Deadline: patience}, func(ctx actor.Context) {
		if m, ok := ctx.Message().(*messages.AddRequest); ok {
			ctx.Respond(responses[m.A])
		}
	})
	p := h.dial()
	for i := range int32(len(responses)) {
		p.send(p.frame(addRequest(i, 0))...)
	}
	p.send(p.frame(echoRequest("behind them"))...)
	for range responses {
		p.want(errorReply(messages.Internal))
	}
	p.want(echoReply("behind them"))
}

// unreadable is a request whose own code panics, or ends its goroutine.
type unreadable struct{ messages.AddRequest }

func (*unreadable) UnmarshalVT(b []byte) error {
	if len(b) > 2 { // both numbers are given
		runtime.Goexit()
	}
	panic("unreadable")
}

// What goes wrong before an actor has its request costs that request, and neither the process, whose reader goroutine it
// happens on, nor the requests around it.
func TestActorCannotBeAsked(t *testing.T) {
	system := hostSystem()
	nobody := system.Root.Spawn(router.NewRoundRobinGroup())
	adder := system.Root.Spawn(actor.PropsFromFunc(addUp))
	t.Cleanup(func() {
		system.Root.Stop(nobody)
		_ = system.Root.StopFuture(adder).Wait()
	})
	undecodable := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.HandleActor[unreadable](undecodable, adder, understudy.UnmarshalVT())
	understudy.Handle(undecodable, echo)
	for name, tt := range map[string]struct {
		service *builtIn
		b       int32
		code    messages.Code
		said    string
	}{
		"a router that has nobody to route to":        {asking(nobody), 0, messages.Unavailable, "divide by zero"},
		"a message whose decoding panics":             {undecodable, 0, messages.Internal, "unreadable"},
		"a message whose decoding ends its goroutine": {undecodable, 1, messages.Internal, "Goexit"},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(syncBuffer)
			h := spawn(t, system.Root, "server", understudy.Config{Service: tt.service, Deadline: patience, Logger: log.logger()})
			p := h.dial()
			for range 3 {
				p.send(append(append(p.frame(echoRequest("before")), p.frame(addRequest(1, tt.b))...), p.frame(echoRequest("behind"))...)...)
				p.want(echoReply("before"))
				m, err := p.next()
				if e := m.GetError(); err != nil || messages.Code(e.GetCode()) != tt.code || e.GetIncidentId() == "" {
					t.Fatalf("got %v, %v", m, err)
				}
				until(t, "the log names it", func() bool { return strings.Contains(log.String(), m.GetError().GetIncidentId()) })
				p.want(echoReply("behind"))
			}
			if !strings.Contains(log.String(), tt.said) {
				t.Errorf("no %q in the log:\n%s", tt.said, log.String())
			}
			if now := h.Status().Asked.Now; now != 0 {
				t.Errorf("%d requests wait for actors", now)
			}
			h.stop()
		})
	}
}

// A response to a server that has ended is not taken for one to its successor of the same name.
func TestResponseToAnotherServer(t *testing.T) {
	system := hostSystem()
	senders := make(chan *actor.PID, 1)
	pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*messages.AddRequest); ok {
			senders <- ctx.Sender()
		}
	}))
	t.Cleanup(func() { _ = system.Root.StopFuture(pid).Wait() })
	var asked [2]*actor.PID
	for i := range asked {
		h := spawn(t, system.Root, "server", understudy.Config{Service: asking(pid), Deadline: patience})
		p := h.dial()
		p.send(p.frame(addRequest(1, 1))...)
		asked[i] = <-senders
		if i == 1 {
			system.Root.Send(asked[0], &messages.AddResponse{Result: -1})
			system.Root.Send(asked[1], &messages.AddResponse{Result: 2})
			p.want(addReply(2))
		}
		p.Close()
		h.stop()
	}
}

// A router that has ended leaves nothing behind that would keep its successor of the same name from being asked.
func TestAskedRouterReturns(t *testing.T) {
	system := hostSystem()
	var pid *actor.PID
	start := func() {
		var err error
		if pid, err = system.Root.SpawnNamed(router.NewRoundRobinPool(2, actor.WithFunc(addUp)), "adders"); err != nil {
			t.Fatal(err)
		}
	}
	start()
	h := spawn(t, system.Root, "server", understudy.Config{Service: asking(pid), Deadline: patience})
	t.Cleanup(func() {
		h.stop()
		system.Root.Stop(pid)
	})
	p := h.dial()
	for range 3 {
		p.send(p.frame(addRequest(1, 1))...)
		p.want(addReply(2))
		system.Root.Stop(pid) // returns when the router has ended
		p.send(p.frame(addRequest(1, 1))...)
		p.want(errorReply(messages.Unavailable))
		start()
	}
}

// quitting is a reply whose own code ends the goroutine that encodes it.
type quitting struct{ messages.AddResponse }

func (*quitting) SizeVT() int { return 2 }

func (*quitting) MarshalToSizedBufferVT([]byte) (int, error) {
	runtime.Goexit()
	return 0, nil
}

// Encoding a response may end the goroutine of whoever responds. The request has its reply.
func TestResponseEndsItsGoroutine(t *testing.T) {
	h, _ := spawnAsking(t, understudy.Config{Deadline: patience}, func(ctx actor.Context) {
		if _, ok := ctx.Message().(*messages.AddRequest); ok {
			root, sender := ctx.ActorSystem().Root, ctx.Sender()
			go root.Send(sender, new(quitting))
		}
	})
	p := h.dial()
	p.send(append(p.frame(addRequest(1, 1)), p.frame(echoRequest("behind it"))...)...)
	p.want(errorReply(messages.Internal))
	p.want(echoReply("behind it"))
}
