package supervisor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// world is what the core's acts are carried out in: actors that exist or not, timers, and requests that wait for an answer.
type world struct {
	t        *testing.T
	c        *core
	rnd      *rand.Rand
	now      time.Time
	alive    map[int]string    // "starting", "running", "suspended" or "stopping", by key
	timers   map[int]time.Time // by key
	numbers  map[int]uint64
	open     map[int]bool // requests
	asked    int
	ending   bool // since before the present acts
	finished bool
	log      []string
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf(format+"\n%s", append(args, w.log[max(0, len(w.log)-60):])...)
}

// carry does what the core wants, and checks that it makes sense.
func (w *world) carry(acts []act) {
	w.t.Helper()
	defer func() { w.ending = w.c.phase >= phaseEnding }()
	for _, a := range acts {
		key := 0
		if a.child != nil {
			key = a.child.key
		}
		state := w.alive[key]
		w.log = append(w.log, fmt.Sprintf("   %d child %d (%s) %v", a.do, key, state, a.event.Kind))
		if w.finished && a.do != doReply && a.do != doPublish {
			w.fail("%v after the end", a.do)
		}
		switch a.do {
		case doStart:
			if a.inPlace != (state == "suspended") || !a.inPlace && state != "" {
				w.fail("child %d is started in place: %v, and is %q", key, a.inPlace, state)
			}
			w.alive[key] = "starting"
		case doResume:
			if state != "suspended" {
				w.fail("child %d is resumed, and is %q", key, state)
			}
			w.alive[key] = "running"
		case doStop, doKill:
			if state == "" {
				w.fail("child %d is stopped and has no actor", key)
			}
			if w.ending && (state == "running" || state == "starting") {
				for _, later := range w.c.order[slices.Index(w.c.order, a.child)+1:] {
					if w.alive[later.key] != "" {
						w.fail("child %d is stopped before %d", key, later.key)
					}
				}
			}
			w.alive[key] = "stopping"
		case doArm:
			w.timers[key], w.numbers[key] = w.now.Add(a.delay), a.timer
		case doDisarm:
			delete(w.timers, key)
		case doReply:
			if !w.open[a.request] {
				w.fail("request %d is answered twice", a.request)
			}
			delete(w.open, a.request)
		case doForget:
			if state != "" {
				w.fail("child %d is forgotten, and is %q", key, state)
			}
		case doFinish:
			w.finished = true
			if len(w.alive) > 0 || len(w.timers) > 0 || len(w.open) > 0 {
				w.fail("the supervisor ends with actors %v, timers %v, requests %v", w.alive, w.timers, w.open)
			}
		}
	}
}

// step lets something happen that can.
func (w *world) step() {
	w.t.Helper()
	keys := make([]int, 0, len(w.alive))
	for key := range w.alive {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	what := w.rnd.IntN(10)
	switch {
	case what < 7 && len(keys) > 0:
		w.happen(keys[w.rnd.IntN(len(keys))])
	case what < 8:
		w.fire(time.Duration(w.rnd.IntN(3000)) * time.Millisecond)
	default:
		w.asked++
		w.open[w.asked] = true
		name := string(rune('a' + w.rnd.IntN(7)))
		r := request{id: w.asked, kind: requestKind(1 + w.rnd.IntN(4)), rule: w.rule(name)}
		w.log = append(w.log, fmt.Sprintf("%v %s", r.kind, name))
		w.carry(w.c.ask(r, w.now))
	}
}

// happen lets one actor do what it may do next.
func (w *world) happen(key int) {
	w.t.Helper()
	f := &Failure{Value: "boom"}
	state, dice := w.alive[key], w.rnd.IntN(10)
	w.log = append(w.log, fmt.Sprintf("child %d, %s, %d", key, state, dice))
	switch {
	case state == "starting" && dice < 6:
		w.alive[key] = "running"
		w.carry(w.c.started(key, w.now))
	case state == "starting" && dice < 9, state == "running" && dice < 3:
		w.alive[key] = "suspended"
		w.carry(w.c.failed(key, f, Directive(w.rnd.IntN(6)), w.now))
	case state == "stopping" && dice < 2:
		w.carry(w.c.failed(key, f, 0, w.now))
	case state == "running" && dice < 5, state == "stopping", state == "starting", state == "suspended" && dice < 2:
		delete(w.alive, key)
		w.carry(w.c.ended(key, Reason(1+w.rnd.IntN(5)), nil, w.now))
	}
}

// fire lets time pass, and the timers with it.
func (w *world) fire(d time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(d)
	for _, key := range slices.Sorted(func(yield func(int) bool) {
		for key := range w.timers {
			if !yield(key) {
				return
			}
		}
	}) {
		if at, ok := w.timers[key]; ok && !at.After(w.now) {
			delete(w.timers, key)
			w.log = append(w.log, fmt.Sprintf("timer of %d", key))
			w.carry(w.c.fired(key, w.numbers[key], w.now))
		}
	}
}

func (w *world) rule(name string) childRule {
	shutdowns := []time.Duration{time.Second, 2 * time.Second, Infinite, Brutal}
	rule := childRule{
		name: name, restart: RestartType(w.rnd.IntN(3)), shutdown: shutdowns[w.rnd.IntN(4)],
		backoff: Backoff{Min: time.Duration(w.rnd.IntN(2)) * time.Second, Max: 4 * time.Second},
	}
	rule.significant = rule.restart != RestartPermanent && w.rnd.IntN(3) == 0
	return rule
}

// Whatever happens in whatever order, no act makes no sense, every request is answered once, and a stop ends everything.
func TestCoreNeverGetsStuck(t *testing.T) {
	for seed := range uint64(4000) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		w := &world{
			t: t, rnd: rnd, now: time.Unix(0, 0), alive: make(map[int]string), timers: make(map[int]time.Time),
			numbers: make(map[int]uint64), open: make(map[int]bool), log: []string{fmt.Sprint("seed ", seed)},
		}
		var rules []childRule
		strategy := Grouping(rnd.IntN(4))
		for i := 0; strategy != Dynamic && i < rnd.IntN(6); i++ {
			rules = append(rules, w.rule(string(rune('a'+i))))
		}
		w.c = newCore(strategy, AutoShutdown(rnd.IntN(3)), Budget{Intensity: rnd.IntN(20), Period: 5 * time.Second}, rnd.Float64, rules...)
		w.carry(w.c.begin(w.now))
		for range rnd.IntN(300) {
			if w.finished {
				break
			}
			w.step()
		}
		if !w.finished {
			w.log = append(w.log, "stop")
			w.carry(w.c.stop(stopMode(rnd.IntN(3)), w.now))
		}
		for range 1000 {
			if w.finished {
				break
			}
			w.step()
		}
		if !w.finished {
			w.fail("it does not end: actors %v", w.alive)
		}
		if len(w.open) > 0 {
			w.fail("requests %v are never answered", w.open)
		}
	}
}

// A timer that has run out just before it was stopped is heard of afterwards, and means nothing: neither the next delay nor the time to stop is over.
func TestCoreIgnoresOldTimers(t *testing.T) {
	now := time.Unix(0, 0)
	rule := childRule{name: "a", shutdown: time.Second, backoff: Backoff{Min: time.Hour}}
	c := newCore(OneForOne, Never, Budget{Intensity: 9, Period: time.Hour}, func() float64 { return 0.5 }, rule)
	armed := func(acts []act) uint64 {
		t.Helper()
		i := slices.IndexFunc(acts, func(a act) bool { return a.do == doArm })
		if i < 0 {
			t.Fatalf("no timer in %v", acts)
		}
		return acts[i].timer
	}
	f := &Failure{Value: "boom"}
	c.begin(now)
	c.started(1, now)
	old := armed(c.failed(1, f, 0, now))
	stopping := armed(c.ask(request{id: 1, kind: requestStop, rule: rule}, now))
	if acts := c.fired(1, old, now); len(acts) > 0 {
		t.Errorf("the end of a delay that was called off: %v", acts)
	}
	c.ended(1, ReasonShutdown, nil, now)
	c.ask(request{id: 2, kind: requestRestart, rule: rule}, now)
	c.started(1, now)
	present := armed(c.failed(1, f, 0, now))
	for _, number := range []uint64{0, old, stopping} {
		if acts := c.fired(1, number, now); len(acts) > 0 {
			t.Errorf("timer %d, of an earlier time: %v", number, acts)
		}
	}
	if acts := c.fired(1, present, now); !slices.ContainsFunc(acts, func(a act) bool { return a.do == doStart }) {
		t.Errorf("the present timer: %v", acts)
	}
}
