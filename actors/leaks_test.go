package actors

import (
	"context"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

func TestParseRecord(t *testing.T) {
	tests := []struct {
		name, record, worker, stack string
		ok                          bool
	}{
		{
			"labelled",
			"1 @ 0x1 0x2\n# labels: {\"understudy.worker\":\"server/pool/worker-3\"}\n" +
				"#\t0x1\ttime.Sleep+0x14\t/usr/lib/go/time.go:1\n#\t0x2\tmain.(*T).work.func1+0xff\t/a path/x.go:22\n",
			"server/pool/worker-3",
			"time.Sleep\n\t/usr/lib/go/time.go:1\nmain.(*T).work.func1\n\t/a path/x.go:22\n",
			true,
		},
		{
			"among other labels",
			"2 @ 0x1\n# labels: {\"a\":\"b\", \"understudy.worker\":\"w\", \"z\":\"y\"}\n#\t0x1\tf+0x1\tf.go:1\n",
			"w", "f\n\tf.go:1\n", true,
		},
		{"other labels only", "1 @ 0x1\n# labels: {\"a\":\"understudy.worker\"}\n#\t0x1\tf+0x1\tf.go:1\n", "", "", false},
		{"no labels", "1 @ 0x1\n#\t0x1\tf+0x1\tf.go:1\n", "", "", false},
		{"the profile's head", "goroutine profile: total 3", "", "", false},
		{"no frames", "1 @ 0x1\n# labels: {\"understudy.worker\":\"w\"}", "w", "", true},
		{"empty", "", "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, stack, ok := parseRecord(tt.record)
			if name != tt.worker || stack != tt.stack || ok != tt.ok {
				t.Errorf("got %q, %q, %v; want %q, %q, %v", name, stack, ok, tt.worker, tt.stack, tt.ok)
			}
		})
	}
}

// hang is a handler that does not return until it is told to.
func hang(entered chan<- struct{}, release <-chan struct{}) {
	entered <- struct{}{}
	<-release
}

// wear makes the calling goroutine look as if it served a burst for the worker; no sweeper watches it.
func wear(s *slot) {
	s.current.Store(new(Burst))
	pprof.SetGoroutineLabels(s.labels)
}

// hangOn has a worker's goroutine hang, and returns what ends it.
func hangOn(t *testing.T, s *slot) (release func()) {
	t.Helper()
	entered, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		wear(s)
		defer s.exit()
		hang(entered, end)
	}()
	await(t, entered, "a handler to hang")
	return func() {
		close(end)
		await(t, ended, "a handler to return")
	}
}

// The stacks of hung workers are found in the profile that this version of Go writes.
func TestWorkerStacks(t *testing.T) {
	r := new(router)
	one, two := newSlot(r, 0, 1, "s/pool/worker-1"), newSlot(r, 1, 2, "s/pool/worker-2")
	defer hangOn(t, one)()
	defer hangOn(t, two)()
	stacks := workerStacks()
	if len(stacks) != 2 {
		t.Errorf("found %d workers, want 2: %v", len(stacks), stacks)
	}
	for _, s := range []*slot{one, two} {
		if stack := stacks[s.name]; !strings.Contains(stack, "actors.hang\n\t") || !strings.Contains(stack, "leaks_test.go:") {
			t.Errorf("the stack of %s does not show its handler:\n%s", s.name, stack)
		}
	}
}

// A worker's label goes when the burst does: a reader that served one inline is not taken for a worker afterwards.
func TestSlotExitTakesTheLabelOff(t *testing.T) {
	s := newSlot(new(router), 0, 1, "s/pool/worker-1")
	wear(s)
	if _, ok := workerStacks()[s.name]; !ok || s.current.Load() == nil {
		t.Error("a serving worker is not found")
	}
	s.exit()
	if _, ok := workerStacks()[s.name]; ok || s.current.Load() != nil {
		t.Error("a worker is found after it has served")
	}
}

// Of three workers one hangs, and is a leak, by name; one has a burst, but its goroutine has just returned; one rests.
func TestGiveUp(t *testing.T) {
	system := newSystem()
	terminated, stopped := make(chan string, 10), make(chan struct{})
	pool := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Terminated:
			terminated <- m.Who.Id
		case *actor.Stopped:
			close(stopped)
		}
	}))
	defer func() {
		system.Root.Stop(pool)
		await(t, stopped, "the pool to stop")
		system.Shutdown()
	}()

	st := &Stage{Table: &Table{}, Settings: Settings{Workers: 4, MaxWorkers: 4}} // the fourth slot was never filled
	st.router = newRouter(st)
	var slots []*slot
	for i, name := range []string{"s/pool/worker-1", "s/pool/worker-2", "s/pool/worker-3"} {
		s := newSlot(st.router, i, i+1, name)
		s.alive.Store(true)
		s.pid.Store(actor.NewPID(system.Address(), name))
		st.router.slots[i].Store(s)
		slots = append(slots, s)
	}
	st.system = system
	st.router.pool.Store(pool)
	if leaks := st.Leaks(); len(leaks) != 0 {
		t.Errorf("leaks are %v, and all rest", leaks)
	}
	st.giveUp()
	defer hangOn(t, slots[1])()
	slots[2].current.Store(new(Burst))

	leaks := st.Leaks()
	st.giveUp()
	if len(leaks) != 1 || leaks[0].Name != slots[1].name || !strings.Contains(leaks[0].Stack, "actors.hang\n\t") {
		t.Errorf("gave up %+v, want worker-2 with its stack", leaks)
	}
	if !slots[0].alive.Load() || slots[1].alive.Load() || slots[2].alive.Load() {
		t.Error("the wrong workers are alive")
	}
	for _, s := range slots[1:] {
		if who := await(t, terminated, "the pool to be told"); who != s.name {
			t.Errorf("the pool was told that %s has terminated, want %s", who, s.name)
		}
	}
	if len(terminated) != 0 {
		t.Errorf("the pool was told of %s too", <-terminated)
	}
}

func TestWorkerStacksNone(t *testing.T) {
	pprof.Do(context.Background(), pprof.Labels("other", "label"), func(context.Context) {
		if stacks := workerStacks(); len(stacks) != 0 {
			t.Errorf("found %v, and no worker serves", stacks)
		}
	})
}
