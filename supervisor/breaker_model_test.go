package supervisor_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/understudy-go/understudy/supervisor"
)

// breakerModel says the same in another way: it keeps every result of its generation, and looks at all of them each time.
type breakerModel struct {
	b          *supervisor.Breaker
	state      string
	since      time.Time // of the state, or of the running probes
	generation int
	reopened   int // how often in a row
	results    []modelResult
	running    map[int]bool
}

type modelResult struct {
	at     time.Time
	failed bool
}

func (m *breakerModel) become(state string, now time.Time) {
	m.state, m.since, m.results, m.running = state, now, nil, map[int]bool{}
	m.generation++
}

func (m *breakerModel) cooldown() time.Duration {
	d := m.b.Cooldown
	for range m.reopened {
		d = min(2*d, m.b.MaxCooldown)
	}
	return d
}

func (m *breakerModel) enter(id int, now time.Time) bool {
	if m.state == "open" && now.Sub(m.since) >= m.cooldown() {
		m.become("half-open", now)
	}
	if m.state == "half-open" && len(m.running) > 0 && now.Sub(m.since) >= m.b.ProbeTimeout {
		m.reopened++
		m.become("open", now)
	}
	switch {
	case m.state == "open", m.state == "half-open" && len(m.running)+len(m.results) >= m.b.Probes:
		return false
	case m.state == "half-open" && len(m.running) == 0:
		m.since = now
	}
	m.running[id] = true
	return true
}

func (m *breakerModel) leave(id int, now time.Time, outcome supervisor.Outcome) {
	if !m.running[id] {
		return // of an older generation
	}
	delete(m.running, id)
	if outcome == supervisor.CallIgnored {
		return
	}
	failed := outcome == supervisor.CallFailed
	m.results = append(m.results, modelResult{now, failed})
	if m.state == "half-open" {
		switch {
		case failed:
			m.reopened++
			m.become("open", now)
		case len(m.results) == m.b.Probes:
			m.become("closed", now)
		}
		return
	}
	row, calls, failures := 0, 0, 0
	tenth := m.b.Window / 10
	number := func(t time.Time) int64 { return int64(t.Sub(m.results[0].at) / tenth) }
	for _, r := range m.results {
		row++
		if !r.failed {
			row = 0
		}
		if number(now)-number(r.at) < 10 {
			calls++
			if r.failed {
				failures++
			}
		}
	}
	if m.b.Consecutive > 0 && row >= m.b.Consecutive || failed && m.b.Ratio > 0 && calls >= m.b.Minimum && float64(failures) >= m.b.Ratio*float64(calls) {
		m.reopened = 0
		m.become("open", now)
	}
}

func TestBreakerAgainstModel(t *testing.T) {
	trips, probes := 0, 0
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		now := time.Unix(0, 0)
		b := &supervisor.Breaker{
			Consecutive: rnd.IntN(6) - 1, Ratio: float64(rnd.IntN(3)) / 3, Window: time.Second, Minimum: 1 + rnd.IntN(8),
			Cooldown: time.Duration(1+rnd.IntN(900)) * time.Millisecond, MaxCooldown: 2 * time.Second, Probes: 1 + rnd.IntN(3),
			ProbeTimeout: time.Duration(1+rnd.IntN(900)) * time.Millisecond,
			Judge: func(err error) supervisor.Outcome {
				e, _ := errors.AsType[outcomeError](err)
				return e.outcome
			},
			Now: func() time.Time { return now },
		}
		if b.Consecutive == 0 {
			b.Consecutive = -1
		}
		m := &breakerModel{b: b, state: "closed", running: map[int]bool{}}
		passes := map[int]*supervisor.Pass{}
		for id := range 600 {
			now = now.Add(time.Duration(rnd.ExpFloat64() * float64(40*time.Millisecond)))
			if rnd.IntN(2) == 0 {
				pass, err := b.Enter()
				if allowed := m.enter(id, now); allowed != (err == nil) {
					t.Fatalf("seed %d, step %d: the model says %v, the breaker %v", seed, id, allowed, err)
				}
				if pass != nil {
					passes[id] = pass
				}
			} else if ids := slices.Sorted(maps.Keys(passes)); len(ids) > 0 {
				picked := ids[rnd.IntN(len(ids))]
				outcome := supervisor.CallSucceeded + supervisor.Outcome(rnd.IntN(3))
				if m.state == "half-open" {
					probes++
				}
				passes[picked].Done(outcomeError{outcome})
				m.leave(picked, now, outcome)
				delete(passes, picked)
			}
			if int(b.Generation()) != m.generation {
				t.Fatalf("seed %d, step %d: generation %d, the model's is %d", seed, id, b.Generation(), m.generation)
			}
		}
		trips += m.generation
	}
	if trips < 1000 || probes < 1000 {
		t.Errorf("%d changes and %d probes: that tries nothing", trips, probes)
	}
}

type outcomeError struct{ outcome supervisor.Outcome }

func (outcomeError) Error() string { return "an outcome" }
