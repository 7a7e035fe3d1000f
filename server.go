package understudy

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/actors"
	"github.com/understudy-go/understudy/internal/fault"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
)

// ErrServerClosed is what [Server.Serve] and [Server.Spawn] return if the server was shut down before, or serves or has served
// already.
var ErrServerClosed = errors.New("understudy: the server is closed")

// ErrOwnSystem is what [Server.Serve] returns if the service has actors as handlers: they live in a system, and the server has
// to be spawned there. The server can still be.
var ErrOwnSystem = errors.New("understudy: a service with HandleActor must be spawned in the system of its actors, with Spawn")

// Server is a TCP server built of actors. Make one with [New]; it serves once, by [Server.Serve] or by [Server.Spawn]. Its methods
// may be called on any goroutine and at any time, but for Spawn, which says where. Its zero value is of no use.
type Server struct {
	config    Config
	stage     *actors.Stage
	lifecycle *actors.Lifecycle
	system    *actor.ActorSystem
	hub       *supervisor.Hub
	faults    *fault.Injector // nil if there are none
	ready     chan struct{}   // closed when Serve has listened, or will not
	ended     chan struct{}   // closed when Serve has ended

	mu        sync.Mutex
	state     serverState
	root      *actor.PID
	urls      []string
	listeners []*transport.Listener
	report    Report
}

type serverState int

const (
	fresh serverState = iota
	serving
	shut
)

// New returns a server that is ready to serve. It opens nothing and starts no goroutine: a server that is never served needs no
// end. The error is that of [Config.Validate].
func New(c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	c.Listen = slices.Clone(c.Listen)
	table, err := c.Service.build()
	if err != nil {
		return nil, err
	}
	faults, err := c.faults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		config:    c,
		lifecycle: actors.NewLifecycle(),
		hub:       supervisor.NewHub(),
		ready:     make(chan struct{}),
		ended:     make(chan struct{}),
	}
	s.faults = faults
	var injector actors.Injector
	if faults != nil {
		injector = faults
	}
	s.stage = actors.NewStage(context.Background(), c.settings(), table, injector, s.hub)
	return s, nil
}

// Serve listens, and serves until the server is shut down, has failed, or ctx ends, which drains it. It returns when nothing of
// the server is left, [Config].Drain and some seconds after its end was begun at the latest.
//
// The error is nil if every request that was decoded was answered, or had no connection any more. Else it is that of listening,
// the failure that ended the server, [ErrUnanswered], [ErrLeaked], or, when nothing was served, [ErrServerClosed] or
// [ErrOwnSystem]; [errors.Is] knows the last four. [Server.Shutdown] has the report, also after the end.
func (s *Server) Serve(ctx context.Context) error {
	if s.stage.Table.Asks() {
		return ErrOwnSystem
	}
	end, err := s.start(ctx, newSystem().Root, "server")
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { s.system.Root.Poison(s.root) })
	defer stop()
	return end()
}

// Spawn listens, and has the server serve as an actor of a system that exists already: at its root if parent is a
// RootContext, else as a child of the actor that calls Spawn, on that actor's goroutine. name is the last part of the
// actor's id, and must be free. A server serves once, by Spawn or by Serve.
//
// The server ends by [Server.Shutdown], by a PoisonPill to its PID, with its parent, and when it has failed. A parent that
// is poisoned and carries a supervisor.Cascade waits for its drain. A parent that just stops, as parents do otherwise,
// stops it by force: what is unanswered is counted, and handlers that do not return are left behind. [Server.Wait] says
// how it ended. A server that fails drains by itself; the parent's strategy should stop it, and not restart it.
//
// Spawn does not wait: [Server.Ready] says when connections are accepted. The error is that of listening, that of the system if the
// name is taken, or [ErrServerClosed]. The PID is [Server.PID].
//
// The library logs what it does to the system's own logger, and not to Config.Logger.
func (s *Server) Spawn(parent actor.SpawnerContext, name string) (*actor.PID, error) {
	end, err := s.start(context.Background(), parent, name)
	if err != nil {
		return nil, err
	}
	go func() { _ = end() }() // it ends with the server
	return s.PID(), nil
}

// Wait waits for the end of a server, also one that is not served yet, and returns what [Server.Serve] returns about its end. It
// is nil if the server never served: it was shut down before, or could not listen. If ctx ends first, the error is that of ctx,
// and the server goes on.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-s.ended:
		r := s.result()
		return r.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start listens, and spawns the server's actor. end waits for its end.
func (s *Server) start(ctx context.Context, parent actor.SpawnerContext, name string) (end func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != fresh {
		return nil, ErrServerClosed
	}
	log := &eventLog{logger: s.config.Logger}
	unsubscribe := s.hub.Subscribe(0, log.on)
	listeners, err := s.listen(ctx)
	if err == nil {
		s.root, err = parent.SpawnNamed(actors.NewServerProps(s.stage, listeners, s.lifecycle, s.answer), name)
	}
	if err != nil {
		for _, l := range listeners {
			l.Close()
		}
		unsubscribe()
		s.state, s.root, s.urls = shut, nil, nil
		close(s.ready)
		close(s.ended)
		return nil, err
	}
	s.listeners, s.system, s.state = listeners, parent.ActorSystem(), serving
	return func() error {
		s.await()
		unsubscribe()
		log.end()
		close(s.ended)
		r := s.result()
		return r.Err()
	}, nil
}

// await waits for the end of a server that was started, and puts its report together.
func (s *Server) await() {
	select {
	case <-s.lifecycle.Started:
	case <-s.lifecycle.Stopped:
	}
	close(s.ready)
	<-s.lifecycle.Stopped
	report := s.finish()
	s.mu.Lock()
	s.state, s.report = shut, report
	s.mu.Unlock()
}

// newSystem returns an actor system that keeps quiet: the library logs each recovery and each dead letter, of which the hub
// tells as much and more. Its dead letters also start a goroutine for as long as it throttles their logging.
func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Nanosecond),
	)
}

func (s *Server) listen(ctx context.Context) ([]*transport.Listener, error) {
	var listeners []*transport.Listener
	for _, text := range s.config.Listen {
		u, err := transport.ParseURL(text)
		if err == nil {
			var l *transport.Listener
			if l, err = transport.Listen(ctx, u, s.config.options()); err == nil {
				listeners = append(listeners, l)
				s.urls = append(s.urls, l.URL().String())
				continue
			}
		}
		for _, l := range listeners {
			l.Close()
		}
		s.urls = nil
		return nil, err
	}
	return listeners, nil
}

// How long the last goroutines are waited for: handlers whose context was cancelled, and then those that have nothing left
// to do but to end.
const (
	handlerWait  = 100 * time.Millisecond
	leftoverWait = 2 * time.Second
)

// Ready returns a channel that is closed when every listener accepts connections, or none ever will: Serve or Spawn has failed, or
// the server was shut down before. [Server.URLs] tells which.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// URLs returns what the server listens on, with the actual ports, in the order of [Config].Listen; the slice is the caller's own.
// It is empty before Ready, and if the server could not listen, and stays as it is after the end.
func (s *Server) URLs() []string {
	select {
	case <-s.ready:
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Clone(s.urls)
	default:
		return nil
	}
}

// System returns the actor system that the server runs in, through which its PID, and those of sessions, are spoken to. It is nil
// until Serve or Spawn has listened. One that Serve has made logs nothing.
func (s *Server) System() *actor.ActorSystem {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.system
}

// PID returns the server's actor: a PoisonPill drains it, and a [StatusRequest] is answered with a [Status]. A Stop ends it by
// force, as it ends any actor. It is nil until Serve or Spawn has listened.
func (s *Server) PID() *actor.PID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.root
}

// AcceptErrors returns how often accepting failed in a way that passes, such as for want of file descriptors, and was
// tried again after a pause: of all listeners, since the start. It is 0 before the server serves.
func (s *Server) AcceptErrors() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := int64(0)
	for _, l := range s.listeners {
		n += l.AcceptErrors()
	}
	return n
}

// Struck returns how often each of [Config].Faults has struck so far, by its text: as the server writes it, with its keys in an
// order of their own and without those that change nothing. The map is the caller's own, and empty if there are no faults.
func (s *Server) Struck() map[string]int64 { return s.faults.Struck() }
