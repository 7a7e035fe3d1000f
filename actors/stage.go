package actors

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
)

// Settings are what the actors are told; the package understudy fills them in from its Config and documents them there.
// None of the numbers may be zero.
type Settings struct {
	Workers        int // at least
	MaxWorkers     int
	Routing        Routing
	Queue          int // requests waiting for a worker
	Window         int // requests in flight on a connection
	WindowBytes    int // soft: bytes of requests and replies in flight on a connection
	MaxConnections int
	MaxDetached    int // handlers that do not return
	Retries        int // of an idempotent handler that crashes
	CheckBorrowed  bool
	MaxFrame       int
	ReadBuffer     int
	WriteBuffer    int

	Deadline     time.Duration
	Stall        time.Duration
	Drain        time.Duration
	Expire       time.Duration // how long before the end of a drain what is unanswered gets UNAVAILABLE
	Grace        time.Duration
	Linger       time.Duration
	WriteTimeout time.Duration
	Read         transport.Timeouts

	SessionBudget supervisor.Budget // of each session
	WorkerBudget  supervisor.Budget // of the pool, for workers that fail by themselves
	ServerBudget  supervisor.Budget // of the server, for the pool
	Backoff       supervisor.Backoff
}

// Injector injects faults. Any goroutine calls it.
type Injector interface {
	// Targets says whether there are faults for actors of a kind: "worker", "session", "acceptor", "pool".
	Targets(kind string) bool
	// Strike may delay the caller or panic. kind and number name the actor, such as "worker", 2.
	Strike(kind string, number int)
	// Enter and Leave say that an actor begins and ends to live.
	Enter(kind string, number int)
	Leave(kind string, number int)
}

// seam is where faults may strike actors of one kind: a worker passes it before each handler, the others before each
// message. One that no fault is for costs a comparison; without Seams none is left in the program.
type seam struct {
	injector Injector // nil if there is no fault for the kind
	kind     string
}

func newSeam(in Injector, kind string) seam {
	if !Seams || in == nil || !in.Targets(kind) {
		return seam{}
	}
	return seam{in, kind}
}

func (s seam) strike(number int) {
	if Seams && s.injector != nil {
		s.injector.Strike(s.kind, number)
	}
}

// strikeOn strikes an actor that is about to handle a message, unless its end has begun: nothing would come after it.
func (s seam) strikeOn(message any, number int) {
	if !Seams || s.injector == nil {
		return
	}
	switch message.(type) {
	case *actor.Stopping, *actor.Stopped, *actor.Restarting:
		return
	}
	s.injector.Strike(s.kind, number)
}

func (s seam) enter(number int) {
	if Seams && s.injector != nil {
		s.injector.Enter(s.kind, number)
	}
}

func (s seam) leave(number int) {
	if Seams && s.injector != nil {
		s.injector.Leave(s.kind, number)
	}
}

// Stage is what all actors of one server share: its settings, its service, its buffers, and its counters.
type Stage struct {
	Settings
	Table   *Table
	Hub     *supervisor.Hub
	Tracker *supervisor.Tracker

	system   *actor.ActorSystem                      // set when the server's actor starts, as are the next two
	root     string                                  // the server actor's id
	critical func(who string, f *supervisor.Failure) // drains the server; set when its actor starts

	seams struct{ worker, session, acceptor, pool seam }

	lendings   lendings // if CheckBorrowed
	router     *router
	dispatcher *supervisor.Dispatcher
	reads      *transport.Buffers
	writes     *transport.Buffers
	encoders   map[string]*encoder // by the name of the framing
	base       context.Context     // of all requests; cancelled by force only
	force      context.CancelFunc

	open       atomic.Int64 // connections
	nextID     atomic.Uint64
	processors int64       // when the server was made
	expired    atomic.Bool // the drain is nearly over
	refused    refusals

	mu     sync.Mutex
	live   map[uint64]*connection // by id; those whose sessions have not stopped
	ended  Counts                 // of connections that are gone
	drains drainCounts
}

// NewStage returns the shared state of one server. base is the parent of all requests' contexts.
func NewStage(base context.Context, s Settings, t *Table, in Injector, hub *supervisor.Hub) *Stage {
	st := &Stage{
		Settings: s, Table: t, Hub: hub,
		Tracker:    new(supervisor.Tracker),
		reads:      transport.NewBuffers(s.ReadBuffer),
		writes:     transport.NewBuffers(s.WriteBuffer),
		live:       make(map[uint64]*connection),
		processors: int64(runtime.GOMAXPROCS(0)),
	}
	st.encoders = newEncoders(t, st.writes)
	st.seams.worker, st.seams.session = newSeam(in, "worker"), newSeam(in, "session")
	st.seams.acceptor, st.seams.pool = newSeam(in, "acceptor"), newSeam(in, "pool")
	st.base, st.force = context.WithCancel(base)
	st.dispatcher = supervisor.NewDispatcher(300, st.Tracker)
	st.router = newRouter(st)
	return st
}

// admit counts a new connection in, unless there are too many.
func (s *Stage) admit() bool {
	if s.open.Add(1) > int64(s.MaxConnections) {
		s.open.Add(-1)
		return false
	}
	return true
}

// crowded says whether there are enough connections for each processor, and not too many, for their readers to take turns.
func (s *Stage) crowded() bool {
	n := s.open.Load()
	return crowdFrom*s.processors <= n && n <= crowdTo*s.processors
}

func (s *Stage) join(c *connection) {
	s.mu.Lock()
	s.live[c.id] = c
	s.mu.Unlock()
}

// leave counts a connection out and adds what it did to the server's counts.
func (s *Stage) leave(c *connection, how ending) {
	s.mu.Lock()
	if !c.left {
		c.left = true
		c.addTo(&s.ended)
		s.drains.note(how)
		s.open.Add(-1)
	}
	s.mu.Unlock()
}

// forget ends what join has begun: the session has stopped, and nobody asks for its connection any more.
func (s *Stage) forget(c *connection) {
	s.mu.Lock()
	delete(s.live, c.id)
	s.mu.Unlock()
}

// sessionPrefix is how the name of a session begins; its connection's id follows.
const sessionPrefix = "session-"

// connectionOf returns the connection of a session that has not stopped.
func (s *Stage) connectionOf(session *actor.PID) *connection {
	id, err := strconv.ParseUint(session.Id[strings.LastIndexByte(session.Id, '-')+1:], 10, 64)
	s.mu.Lock()
	c := s.live[id]
	s.mu.Unlock()
	if err != nil || c == nil {
		panic(fmt.Errorf("session %s has no connection", session.Id)) // its name was made of one's id
	}
	return c
}

// Counts returns what the server has done so far, its live connections included.
func (s *Stage) Counts() Counts {
	s.mu.Lock()
	total := s.ended
	live := make([]*connection, 0, len(s.live))
	for _, c := range s.live {
		if !c.left {
			live = append(live, c)
		}
	}
	s.mu.Unlock()
	for _, c := range live {
		c.addTo(&total)
	}
	total.Connections = s.open.Load()
	total.Refused = s.refused.count.Load()
	s.router.count(&total)
	return total
}

// report hears of every failure of an actor before anything is done about it. Strategies publish those of children; what
// is left are failures while stopping, which nobody above hears of, and those of the server itself.
func (s *Stage) report(self *actor.PID, f *supervisor.Failure) {
	switch {
	case !strings.Contains(self.Id[len(s.root):], "/"):
		s.Hub.Publish(supervisor.Event{Kind: supervisor.Failed, Path: self.Id, Failure: f})
		s.critical(self.Id, f)
	case f.Phase == supervisor.PhaseStopping || f.Phase == supervisor.PhaseStopped || f.Phase == supervisor.PhaseRestarting:
		s.Hub.Publish(supervisor.Event{Kind: supervisor.Failed, Path: self.Id, Failure: f})
	}
}

// acceptFailed ends the server: a listener that cannot accept any more is none.
func (s *Stage) acceptFailed(url string, err error) {
	s.critical(url, &supervisor.Failure{Value: supervisor.Critical(err), Incident: supervisor.NewIncident()})
}

// Ended returns how many connections were drained in order, and how many were not.
func (s *Stage) Ended() (drained, forced int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drains.drained, s.drains.forced
}
