package actors

import "time"

// StatusRequest asks a server's PID what it is doing; it is answered with a Status.
type StatusRequest struct{}

// Status is what a server is doing.
type Status struct {
	Draining    bool
	Connections Level // open now
	Pool        PoolStatus
	Asked       Level // requests that actors of the service's user have not responded to
	Counts      Counts
}

// Level is how much there is of something that has a bound.
type Level struct{ Now, Limit int }

// PoolStatus is what a pool is doing. Workers, and what waits, change while it is put together: the numbers need not fit
// exactly.
type PoolStatus struct {
	Routing    Routing
	Workers    int // there are now; those that have stalled do not count
	MinWorkers int
	MaxWorkers int
	Idle       int   // of the workers
	Detached   Level // handlers that have stalled and did not return

	Queue   Level // requests that wait, for a worker or for their key's turn
	HeldUp  int   // of these, those that wait for their key's turn
	Waited  int64 // bursts that have waited, since the start; their requests came together
	WaitSum time.Duration
	WaitMax time.Duration
	// Waiting is for how long the burst has waited that waits longest, as seen within the last fifth of a stall time, at
	// most 50 ms.
	Waiting time.Duration
}

// Status returns what the server is doing. Draining is for its actor to say.
func (s *Stage) Status() Status {
	return Status{
		Connections: Level{int(s.open.Load()), s.MaxConnections},
		Pool:        s.router.status(),
		Asked:       Level{s.router.asks.waiting(), s.Queue},
		Counts:      s.Counts(),
	}
}

func (r *router) status() PoolStatus {
	held := int(r.held.Load())
	return PoolStatus{
		Routing:    r.stage.Routing,
		Workers:    int(r.placed.Load()),
		MinWorkers: r.stage.Workers,
		MaxWorkers: r.stage.MaxWorkers,
		Idle:       r.idle.count(),
		Detached:   Level{int(r.detached.Load()), r.stage.MaxDetached},
		Queue:      Level{int(r.ready.Load()) + held, r.stage.Queue},
		HeldUp:     held,
		Waited:     r.waited.Load(),
		WaitSum:    time.Duration(r.wait.total.Load()),
		WaitMax:    time.Duration(r.wait.longest.Load()),
		Waiting:    time.Duration(max(r.wait.ready.Load(), r.wait.held.Load())),
	}
}
