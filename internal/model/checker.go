//go:build model

package model

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// Scenario bounds what the checker explores.
type Scenario struct {
	Name      string
	Bursts    []int8 // how many requests each read brings
	Workers   int
	Queue     int8 // how many requests may wait
	Spread    bool // bursts are cut into single requests
	Crashes   int8
	Goexits   int8
	Hangs     int8
	Stalls    int8
	Reliefs   int8
	Deadlines int8 // how often those of all bursts so far pass
	Expires   int8
	Drops     int8
	Restarts  int8 // of workers that are idle
	Retries   int8 // of handlers that crash; beyond these they are answered
}

// Result is what the checker found.
type Result struct {
	States   int
	Violated string   // empty if nothing was
	Trace    []string // the shortest way there
}

func (r Result) String() string {
	return fmt.Sprintf("%s, after %d states:\n    %s", r.Violated, r.States, strings.Join(r.Trace, "\n    "))
}

// Check looks at every state that can be reached, those first that take the fewest steps, until a property is violated.
// States are told apart by 64 bits of a hash with a random seed: that two of ten million fall together, and one of them is
// missed, happens in one run of 300,000.
func Check(sc Scenario, without ...Guard) Result {
	m := &machine{Scenario: &sc, guards: 1<<numGuards - 1}
	for _, g := range without {
		m.guards &^= 1 << g
	}
	seed := maphash.MakeSeed()
	first := start(&sc)
	root := maphash.Comparable(seed, *first)
	before := map[uint64]uint64{root: root}
	level, following := []state{*first}, []state(nil)
	for len(level) > 0 {
		following = following[:0]
		for i := range level {
			from := maphash.Comparable(seed, level[i])
			for _, next := range m.steps(&level[i]) {
				to := maphash.Comparable(seed, next.state)
				if _, known := before[to]; known {
					continue
				}
				before[to] = from
				if next.state.wrong != allWell {
					return Result{len(before), propertyNames[next.state.wrong], m.trace(seed, *first, before, to)}
				}
				following = append(following, next.state)
			}
			if m.resting {
				if level[i].rest(); level[i].wrong != allWell {
					return Result{len(before), propertyNames[level[i].wrong], m.trace(seed, *first, before, from)}
				}
			}
		}
		level, following = following, level
	}
	return Result{States: len(before)}
}

// trace goes the way to a state once more.
func (m *machine) trace(seed maphash.Seed, at state, before map[uint64]uint64, to uint64) (trace []string) {
	var way []uint64
	for root := maphash.Comparable(seed, at); to != root; to = before[to] {
		way = append(way, to)
	}
	for _, h := range slices.Backward(way) {
		for _, next := range m.steps(&at) {
			if maphash.Comparable(seed, next.state) == h {
				trace = append(trace, fmt.Sprintf("%-9s %s", name(next.by), next.what))
				at = next.state
				break
			}
		}
	}
	return trace
}

func name(w who) string {
	switch {
	case w >= worker0:
		return fmt.Sprintf("worker %d", w-worker0+1)
	case w >= reader0:
		return fmt.Sprintf("reader %d", w-reader0+1)
	}
	return [...]string{"", "session", "sweeper", "pool", "world"}[w]
}

// machine takes the steps.
type machine struct {
	*Scenario
	guards  uint64
	next    []step
	resting bool // no step was possible but those that begin something
}

type step struct {
	by    who
	what  string
	state state
}

func (m *machine) on(g Guard) bool { return m.guards&(1<<g) != 0 }

// steps returns all that can happen next.
func (m *machine) steps(s *state) []step {
	m.next = m.next[:0]
	for i := range s.readers {
		m.reader(*s, int8(i))
	}
	for i := range s.workers {
		m.worker(*s, int8(i))
		m.offer(*s, int8(i))
	}
	m.terminated(*s)
	m.sessionStep(*s)
	m.sweep(*s)
	m.resting = len(m.next) == 0
	m.begin(s)
	return m.next
}

func (m *machine) emit(by who, what string, s *state) {
	m.next = append(m.next, step{by, what, *s})
	m.next[len(m.next)-1].state.collect()
}

// begin is what nobody waits for.
func (m *machine) begin(s *state) {
	if s.world.ticks > 0 {
		n := *s
		n.world.ticks--
		n.world.time++
		m.emit(theWorld, "the deadlines of all bursts so far pass", &n)
	}
	if s.world.expires > 0 && !s.session.expire {
		n := *s
		n.world.expires--
		n.session.expire = true
		m.emit(theWorld, "the drain sends Expire", &n)
	}
	m.drop(*s)
	for i := range s.workers {
		if s.world.restarts > 0 && s.workers[i].at == workerResting {
			n := *s
			w := &n.workers[i]
			n.world.restarts--
			w.at, w.alive, n.pool.idle[w.slot] = workerStart, false, false
			m.emit(thePool, "restarts an idle worker", &n)
		}
	}
	m.look(*s)
}
