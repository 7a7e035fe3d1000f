package understudy_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/supervisor"
)

// hostSystem is somebody's actor system.
func hostSystem() *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Nanosecond),
	)
}

// spawn starts a server under a parent.
func spawn(t *testing.T, parent actor.SpawnerContext, name string, c understudy.Config) *host {
	t.Helper()
	c.Listen = []string{"tcp://127.0.0.1:0"}
	s, err := understudy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := s.Spawn(parent, name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(pid.Id, name) || !pid.Equal(s.PID()) {
		t.Errorf("the PID is %v, and Spawn returned %v", s.PID(), pid)
	}
	<-s.Ready()
	return &host{Server: s, t: t}
}

// Servers stand beside each other, and beside other actors, in one system; each ends by itself.
func TestServersInOneSystem(t *testing.T) {
	system := hostSystem()
	one := spawn(t, system.Root, "one", understudy.Config{Workers: 2})
	two := spawn(t, system.Root, "two", understudy.Config{Workers: 3})
	for _, h := range []*host{one, two, one} {
		p := h.dial()
		p.send(p.frame(addRequest(2, 40))...)
		p.want(addReply(42))
		p.Close()
	}
	until(t, "the second server's reply is counted", func() bool { return two.Counts().Answered == 1 })
	answer, err := system.Root.RequestFuture(two.PID(), understudy.StatusRequest{}, patience).Result()
	if st, ok := answer.(understudy.Status); err != nil || !ok || st.Pool.MinWorkers != 3 || st.Counts.Answered != 1 {
		t.Errorf("got %+v, %v", answer, err)
	}
	system.Root.Poison(one.PID())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := one.Wait(ctx); err != nil {
		t.Error(err)
	}
	one.stop()
	p := two.dial()
	p.send(p.frame(addRequest(1, 1))...)
	p.want(addReply(2))
	p.Close()

	// A name that is taken: nothing is left of the server that wanted it.
	s, err := understudy.New(understudy.Config{Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	if pid, err := s.Spawn(system.Root, "two"); !errors.Is(err, actor.ErrNameExists) || pid != nil || s.PID() != nil || len(s.URLs()) != 0 {
		t.Errorf("got %v, %v", pid, err)
	}
	if err := s.Serve(context.Background()); !errors.Is(err, understudy.ErrServerClosed) {
		t.Errorf("got %v", err)
	}
	// The name of one that has ended is free again.
	again := spawn(t, system.Root, "one", understudy.Config{})
	again.stop()
	two.stop()
	if err := two.Wait(context.Background()); err != nil {
		t.Error(err)
	}
	system.Shutdown()
}

// front is an actor that has a server for a child.
type front struct {
	t      *testing.T
	config understudy.Config
	server chan *host
	ended  chan struct{}
}

func (f *front) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		f.server <- spawn(f.t, ctx, "server", f.config)
	case *actor.Stopped:
		close(f.ended)
	}
}

func newFront(t *testing.T, system *actor.ActorSystem, c understudy.Config, opts ...actor.PropsOption) (*actor.PID, *front, *host) {
	f := &front{t: t, config: c, server: make(chan *host, 1), ended: make(chan struct{})}
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return f }, opts...))
	h := <-f.server
	return pid, f, h
}

// A server ends with its parent: drained, if the parent takes a pill and hands it down.
func TestServerDrainsWithItsParent(t *testing.T) {
	system := hostSystem()
	puppet := newPuppet(t)
	pid, f, h := newFront(t, system, understudy.Config{Service: puppet.service(), Stall: patience, Deadline: patience}, supervisor.WithCascade(supervisor.Cascade{}))
	p := h.dial()
	p.send(p.frame(echoRequest("hang"))...)
	until(t, "it hangs", func() bool { return puppet.inside.Load() == 1 })
	system.Root.Poison(pid)
	until(t, "the drain has begun", func() bool { return h.Status().Draining })
	puppet.letGo()
	p.want(echoReply("hang"))
	p.wantEnd()
	p.Close()
	<-f.ended
	if err := h.Wait(context.Background()); err != nil {
		t.Error(err)
	}
	if r := h.stop(); r.Drained != 1 || r.Forced != 0 || r.Counts.Answered != 1 {
		t.Errorf("report: %+v", r)
	}
	system.Shutdown()
}

// … and by force, if the parent just stops: what is unanswered is counted, a handler that does not return is named, and
// the parent does not wait for it.
func TestServerStopsWithItsParent(t *testing.T) {
	system := hostSystem()
	puppet := newPuppet(t)
	pid, f, h := newFront(t, system, understudy.Config{Service: puppet.service(), Stall: patience, Deadline: patience})
	p := h.dial()
	p.send(p.frame(echoRequest("hang"))...)
	until(t, "it hangs", func() bool { return puppet.inside.Load() == 1 })
	other := h.dial()
	other.send(other.frame(echoRequest("obey"))...)
	until(t, "both are handled", func() bool { return h.Counts().WorkerBursts == 2 })
	system.Root.Stop(pid)
	<-f.ended
	r := h.stop()
	if len(r.Leaked) != 1 || !strings.Contains(r.Leaked[0].Stack, "puppet") || r.Counts.Unanswered+r.Counts.Dropped != 2 {
		t.Errorf("report: %+v", r)
	}
	if err := h.Wait(context.Background()); !errors.Is(err, understudy.ErrUnanswered) && !errors.Is(err, understudy.ErrLeaked) {
		t.Errorf("got %v", err)
	}
	if _, err := h.tryDial(); err == nil {
		t.Error("it still listens")
	}
	puppet.letGo()
	system.Shutdown()
}
