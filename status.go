package understudy

import (
	"time"

	"github.com/understudy-go/understudy/actors"
)

// StatusRequest asks a server's PID what it is doing: it responds with a [Status], a value, to whoever has sent it. While the
// server drains it responds, too; when it has ended there is nobody to respond. Send it through [Server.System], or from
// an actor of the system that the server was spawned in. It has no fields: send StatusRequest{}.
type StatusRequest struct{}

// Status is what a server is doing, against its bounds: [Server.Status] returns it, and the server's PID answers a [StatusRequest]
// with it. It is a snapshot, and the receiver's own. The server goes on while it is put together, so numbers that stand next to each
// other need not fit exactly, those of [Counts] aside that it says fit.
type Status struct {
	Draining    bool       // the orderly end has begun; it stays true when the server has ended
	Connections Level      // connections open now; the bound is Config.MaxConnections
	Pool        PoolStatus // the workers, and what waits for them
	Asked       Level      // requests that actors have (see HandleActor) and whose deadline has not passed; the bound is Config.Queue
	Counts      Counts     // what was done since the start
}

// Level is how much there is of something that has a bound.
type Level struct {
	Now   int // how much there is; it may be over the limit for a moment
	Limit int // the bound, which never changes
}

// PoolStatus is what the workers are doing, and what waits for them.
type PoolStatus struct {
	Routing    Routing // which idle worker gets requests: Config.Routing
	Workers    int     // workers that there are now; those that have stalled do not count. None before the server serves, and after its end
	MinWorkers int     // the fewest that the pool keeps while the server serves: Config.Workers
	MaxWorkers int     // the most that there ever are: Config.MaxWorkers
	Idle       int     // of the workers, those that have nothing to do

	// Detached is how many handlers have stalled (Config.Stall) and have not returned; the bound, Config.MaxDetached, is one for
	// handlers of which calls are among them, and others may go over it. See Config.MaxDetached.
	Detached Level
	// Queue is how many requests wait, for a worker or for their key's turn; the bound is Config.Queue.
	Queue Level
	// HeldUp is how many of these wait for their key's turn: more workers would not help them.
	HeldUp int

	// Waited is how many bursts have waited since the start. A burst is what one read of a connection brought, or a part of that.
	Waited int64
	// WaitSum is how long they waited, all together; WaitSum / Waited is about the mean. It counts the wait of a burst when it is
	// over, and that of one whose connection has gone not at all.
	WaitSum time.Duration
	// WaitMax is how long the one of them waited that waited longest.
	WaitMax time.Duration
	// Waiting is for how long the burst has waited so far that waits longest now, and 0 if none waits, as seen at the last of
	// several looks in a Config.Stall, not more than 50 ms apart.
	Waiting time.Duration
}

// Status returns what the server is doing: how many connections and workers there are, what waits, for how long, and the bounds. It
// may be called on any goroutine at any time, also before the server serves and after its end. It costs what [Server.Counts] costs.
func (s *Server) Status() Status {
	c, now := s.config, s.stage.Levels()
	return Status{
		Draining:    !s.lifecycle.Drain().Begun.IsZero(),
		Connections: Level{now.Connections, c.MaxConnections},
		Pool:        poolStatus(c, now),
		Asked:       Level{now.Asked, c.Queue},
		Counts:      s.Counts(),
	}
}

func poolStatus(c Config, now actors.Levels) PoolStatus {
	return PoolStatus{
		Routing:    c.Routing,
		Workers:    now.Workers,
		MinWorkers: c.Workers,
		MaxWorkers: c.MaxWorkers,
		Idle:       now.Idle,
		Detached:   Level{now.Detached, c.MaxDetached},
		Queue:      Level{now.Ready + now.HeldUp, c.Queue},
		HeldUp:     now.HeldUp,
		Waited:     now.Waited,
		WaitSum:    now.WaitSum,
		WaitMax:    now.WaitMax,
		Waiting:    now.Waiting,
	}
}

// answer is what the server's actor answers to a message that is not its own; nil is no answer.
func (s *Server) answer(question any) any {
	if _, ok := question.(StatusRequest); ok {
		return s.Status()
	}
	return nil
}
