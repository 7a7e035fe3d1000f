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
	index   int
	name    string // the worker's path, such as "server/pool/worker-3"
	mailbox *Mailbox
	labels  context.Context       // carries the goroutine label by which a profile or a leak report names the worker
	alive   atomic.Bool           // between Started and Restarting or Stopping
	current atomic.Pointer[Burst] // what the worker serves, or nil
	pid     atomic.Pointer[actor.PID]

	served  atomic.Int64 // requests since the last start
	bursts  atomic.Int64
	inlined atomic.Int64
	crashes atomic.Int64
	codes   [messages.Codes]atomic.Int64
}

// workerLabel is the goroutine label that carries a worker's path while it serves.
const workerLabel = "understudy.worker"

func newSlot(r *router, index int, name string) *slot {
	s := &slot{router: r, index: index, name: name}
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

func (s *slot) enter(b *Burst) {
	s.current.Store(b)
	s.bursts.Add(1)
	if b.inline {
		s.inlined.Add(1)
	}
	pprof.SetGoroutineLabels(s.labels)
}

func (s *slot) exit() {
	s.current.Store(nil)
	pprof.SetGoroutineLabels(context.Background())
}

func (s *slot) count(c *Counts) {
	c.WorkerBursts += s.bursts.Load()
	c.PoolBursts += s.inlined.Load()
	c.Crashes += s.crashes.Load()
	for i := range s.codes {
		c.Codes[i] += s.codes[i].Load()
	}
}
