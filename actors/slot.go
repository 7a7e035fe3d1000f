package actors

import (
	"context"
	"runtime/pprof"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
)

// slot is a worker's place in the pool. It outlives the worker's incarnations, and it is what the router claims.
type slot struct {
	router  *router
	index   int    // in the router's slots
	number  int    // the worker's, which no other ever has
	name    string // the worker's path, such as "server/pool/worker-3"
	mailbox *Mailbox
	labels  context.Context       // carries the goroutine label by which a profile or a leak report names the worker
	alive   atomic.Bool           // between Started and Restarting or Stopping, and not given up
	givenUp atomic.Bool           // its handler has stalled: the pool goes on without it, and it ends when the handler returns
	current atomic.Pointer[Burst] // what the worker serves, or nil
	pid     atomic.Pointer[actor.PID]

	begun     atomic.Int64            // when it began what it serves, on the router's clock
	deadline  atomic.Int64            // of what it serves, on the router's clock
	stalled   atomic.Pointer[Handler] // the handler that it is detached with, or nil
	suspected atomic.Bool             // it calls a handler of which other calls are detached

	seen sight // the sweeper's

	tallied atomic.Int64 // of the burst that it serves: the request up to which replies are in codes
	worked  atomic.Int64 // nanoseconds spent serving; one that comes later begins with what the others have
	served  atomic.Bool  // a request, since the last start
	bursts  atomic.Int64
	pulled  atomic.Int64 // of these, those that came out of the queue
	crashes atomic.Int64
	codes   [messages.Codes]atomic.Int64
}

// workerLabel is the goroutine label that carries a worker's path while it serves.
const workerLabel = "understudy.worker"

func newSlot(r *router, index, number int, name string) *slot {
	s := &slot{router: r, index: index, number: number, name: name}
	s.labels = pprof.WithLabels(context.Background(), pprof.Labels(workerLabel, name))
	s.mailbox = &Mailbox{OnIdle: s.offer}
	return s
}

// offer is what a worker does when it has come to rest: it can be claimed, and it looks whether bursts wait.
func (s *slot) offer() {
	if !s.alive.Load() {
		return
	}
	s.router.idle.offer(s.index)
	s.router.feed()
}

// enter says that the worker serves b. From the store of current on, the sweeper may take parts of b away.
func (s *slot) enter(b *Burst) {
	if !b.inline {
		s.pulled.Add(1)
	}
	s.deadline.Store(s.router.at(b.deadline))
	s.begun.Store(s.router.now.Load())
	if s.tallied.Load() != 0 {
		s.tallied.Store(0)
	}
	s.current.Store(b)
	s.router.watch()
	s.bursts.Add(1)
	pprof.SetGoroutineLabels(s.labels)
}

func (s *slot) exit() {
	s.current.Store(nil)
	if s.stalled.Load() != nil { // as a rule it is nil, and to swap it would be felt
		if h := s.stalled.Swap(nil); h != nil {
			h.stalled.Add(-1)
			s.router.detached.Add(-1)
		}
	}
	pprof.SetGoroutineLabels(context.Background())
}

// suspect asks whether a handler may be called of which other calls are detached: those and such calls together stay
// within a bound.
func (s *slot) suspect() bool {
	r := s.router
	if r.suspects.Add(1)+r.detached.Load() > int64(r.stage.MaxDetached) {
		r.suspects.Add(-1)
		return false
	}
	s.suspected.Store(true)
	return true
}

// unsuspect ends what suspect began, if it did: the call has returned, or is counted as detached from now on.
func (s *slot) unsuspect() {
	if s.suspected.Load() && s.suspected.Swap(false) {
		s.router.suspects.Add(-1)
	}
}

// tally counts the replies of b that say OK, for all at once: a counter for each request would be felt. The next request of b
// that is not counted is k. The caller has b to itself. Who seizes a burst counts them for its connection.
func (s *slot) tally(b *Burst, k int) {
	if s.tallied.Load() != int64(k) {
		s.tallied.Store(int64(k))
	}
	if b.oks > 0 {
		s.codes[messages.OK].Add(int64(b.oks))
		b.oks = 0
	}
}

// untallied returns how many replies of the burst that is being served say OK and were not counted: all since the last tally. It
// may be wrong while they are being counted.
func (s *slot) untallied() int64 {
	b := s.current.Load()
	if b == nil {
		return 0
	}
	p, k := b.at()
	n := int64(k) - s.tallied.Load()
	if p != handling && p != encoding || s.current.Load() != b {
		return 0
	}
	return max(n, 0)
}

func (s *slot) addTo(c *Counts) {
	c.Codes[messages.OK] += s.untallied()
	c.WorkerBursts += s.bursts.Load()
	c.PoolBursts += s.bursts.Load() - s.pulled.Load()
	c.Crashes += s.crashes.Load()
	for i := range s.codes {
		c.Codes[i] += s.codes[i].Load()
	}
}
