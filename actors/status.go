package actors

import "time"

// Levels is how much there is of what has a bound, and what waits. The bounds are those of the Settings.
type Levels struct {
	Connections int
	Asked       int // requests that actors of the service's user have not responded to
	Workers     int
	Idle        int // of the workers
	Detached    int // handlers that have stalled and did not return
	Ready       int // requests that wait for a worker
	HeldUp      int // requests that wait for their key's turn

	Waited  int64 // bursts that have waited, since the start
	WaitSum time.Duration
	WaitMax time.Duration
	Waiting time.Duration // of the burst that waits longest, as the sweeper saw it last
}

// Levels returns them as they are. They change while they are put together, so the numbers need not fit exactly.
func (s *Stage) Levels() Levels {
	r := s.router
	return Levels{
		Connections: int(s.open.Load()),
		Asked:       r.asks.waiting(),
		Workers:     int(r.placed.Load()),
		Idle:        r.idle.count(),
		Detached:    int(r.detached.Load()),
		Ready:       int(r.ready.Load()),
		HeldUp:      int(r.held.Load()),
		Waited:      r.waited.Load(),
		WaitSum:     time.Duration(r.wait.total.Load()),
		WaitMax:     time.Duration(r.wait.longest.Load()),
		Waiting:     time.Duration(max(r.wait.ready.Load(), r.wait.held.Load())),
	}
}
