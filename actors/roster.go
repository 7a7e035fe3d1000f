package actors

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
)

// What the router knows of its workers, those included that are gone: who serves, who was given up, what they have counted.

func (r *router) count(c *Counts) {
	r.settleGone()
	r.goneMu.Lock()
	c.addWorkers(&r.past)
	for _, s := range r.gone {
		s.addTo(c)
	}
	r.goneMu.Unlock()
	for i := range r.slots {
		if s := r.slots[i].Load(); s != nil {
			s.addTo(c)
		}
	}
	c.QueuedBursts += r.waited.Load()
	c.PoolBursts += r.routed.Load()
	c.Rejected += r.rejected.Load()
	c.Retried += r.retried.Load()
	c.Codes[messages.ResourceExhausted] += r.rejected.Load()
	c.Codes[messages.DeadlineExceeded] += r.timedOut.Load()
	for i := range r.asks.codes {
		c.Codes[i] += r.asks.codes[i].Load()
	}
	c.Late += r.late.Load()
	c.Detached += r.detached.Load()
}

// giveUp has the pool go on without a worker whose handler does not return. The library would wait for it for ever, as an
// actor stops between two messages; so the pool is told that it has terminated.
func (r *router) giveUp(s *slot, system *actor.ActorSystem) {
	if !s.givenUp.CompareAndSwap(false, true) {
		return
	}
	s.alive.Store(false)
	r.idle.withdraw(s.index)
	pool, pid := r.pool.Load(), s.pid.Load()
	if pool == nil || pid == nil {
		return
	}
	r.stage.Hub.Publish(supervisor.Event{Kind: supervisor.GivenUp, Path: s.name})
	if process, ok := system.ProcessRegistry.Get(pool); ok {
		process.SendSystemMessage(pool, &actor.Terminated{Who: pid})
	}
}

// resting returns how many workers have failed and are not back yet.
func (r *router) resting() int {
	n := 0
	for i := range r.slots {
		if s := r.slots[i].Load(); s != nil && !s.alive.Load() {
			n++
		}
	}
	return n
}

// busy returns the workers that serve, those included that were given up.
func (r *router) busy() []*slot {
	var all []*slot
	for i := range r.slots {
		if s := r.slots[i].Load(); s != nil && s.current.Load() != nil {
			all = append(all, s)
		}
	}
	placed := len(all)
	r.goneMu.Lock()
	defer r.goneMu.Unlock()
	for _, s := range r.gone {
		if s.current.Load() != nil && !slices.Contains(all[:placed], s) {
			all = append(all, s)
		}
	}
	return all
}

// free empties the slot of a worker that has stopped, or was given up.
func (r *router) free(worker *actor.PID) {
	for i := range r.slots {
		if s := r.slots[i].Load(); s != nil && s.name == worker.Id {
			r.goneMu.Lock()
			r.gone = append(r.gone, s) // first: whoever looks at all workers finds it in one place or the other
			r.goneMu.Unlock()
			r.slots[i].Store(nil)
			r.placed.Add(-1)
		}
	}
	r.settleGone()
}

// settleGone takes over the counts of workers that are gone for good. What is left are those that were given up and whose
// handlers still run.
func (r *router) settleGone() {
	r.goneMu.Lock()
	defer r.goneMu.Unlock()
	still := r.gone[:0]
	for _, s := range r.gone {
		if s.current.Load() != nil {
			still = append(still, s)
			continue
		}
		s.addTo(&r.past)
	}
	clear(r.gone[len(still):])
	r.gone = still
}

// hasServed says whether a worker has served a request since it was last started.
func (r *router) hasServed(worker *actor.PID) bool {
	for i := range r.slots {
		if s := r.slots[i].Load(); s != nil && s.name == worker.Id {
			return s.served.Load()
		}
	}
	return false
}
