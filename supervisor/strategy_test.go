package supervisor_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

type failNow struct{ value any }

// failing is a guarded actor that panics with what a failNow carries; ask is answered with the number of the instance.
func failing() *actor.Props {
	instances := 0
	return actor.PropsFromProducer(func() actor.Actor {
		instances++
		number := instances
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case failNow:
				panic(m.value)
			case ask:
				m.reply <- number
			}
		})
	}, supervisor.WithGuard(nil, nil))
}

func TestStrategyDirectives(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name     string
		value    any
		decide   supervisor.Directive
		instance int // that answers; 0: none, the child has stopped
		kinds    []supervisor.Kind
	}{
		{"resume", boom, supervisor.Resume, 1, []supervisor.Kind{supervisor.Failed, supervisor.Resumed}},
		{"restart", boom, supervisor.Restart, 2, []supervisor.Kind{supervisor.Failed, supervisor.Restarted}},
		{"stop", boom, supervisor.Stop, 0, []supervisor.Kind{supervisor.Failed, supervisor.Stopped}},
		{"a bug by class", boom, 0, 2, []supervisor.Kind{supervisor.Failed, supervisor.Restarted}},
		{"the peer's by class", supervisor.Peer(boom), 0, 0, []supervisor.Kind{supervisor.Failed, supervisor.Stopped}},
		{"temporary without a delay", supervisor.Temporary(boom), 0, 2, []supervisor.Kind{supervisor.Failed, supervisor.Restarted}},
		{"temporary with one", supervisor.Temporary(boom), 0, 2, []supervisor.Kind{supervisor.Failed, supervisor.RestartDelayed, supervisor.Restarted}},
	} {
		t.Run(c.name, func(t *testing.T) {
			system, hub := newSystem(), supervisor.NewHub()
			events := collect(hub)
			s := &supervisor.Strategy{
				Decide: func(*actor.PID, *supervisor.Failure) supervisor.Directive { return c.decide },
				Budget: supervisor.Budget{Intensity: 5, Period: time.Minute},
				Events: hub,
			}
			if slices.Contains(c.kinds, supervisor.RestartDelayed) {
				s.Backoff = supervisor.Backoff{Min: time.Millisecond}
				s.Rand = func() float64 { return 0.5 }
			}
			pids, terminated := make(chan []*actor.PID, 1), make(chan string, 1)
			parent := system.Root.Spawn(parentOf(pids, terminated, []actor.PropsOption{supervisor.WithStrategy(s)}, failing()))
			child := receive(t, pids, "the child")[0]
			reply := make(chan int, 1)
			system.Root.Send(child, failNow{c.value})
			system.Root.Send(child, ask{reply})
			if c.instance == 0 {
				receive(t, terminated, "Terminated")
				nothing(t, reply, "a stopped child's answer")
			} else if n := receive(t, reply, "an answer"); n != c.instance {
				t.Errorf("instance %d answered, want %d", n, c.instance)
			}
			end(t, system, parent)
			got := events()
			if !slices.Equal(kinds(got), c.kinds) {
				t.Errorf("events %v, want %v", kinds(got), c.kinds)
			}
			for _, e := range got {
				if e.Path != child.Id || e.Failure == nil || e.Failure.Stack() == "" || e.Time.IsZero() || e.Directive == 0 {
					t.Errorf("%+v", e)
				}
				if e.Kind == supervisor.Restarted && (e.Incarnation != 1 || e.BudgetLeft != 4) {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

// end stops an actor and waits for it.
func end(t *testing.T, system *actor.ActorSystem, pid *actor.PID) {
	t.Helper()
	seen := watch(system, pid)
	system.Root.Stop(pid)
	receive(t, seen, "the end of "+pid.Id)
}

func TestBudgetPerChild(t *testing.T) {
	system, hub := newSystem(), supervisor.NewHub()
	events := collect(hub)
	s := &supervisor.Strategy{Budget: supervisor.Budget{Intensity: 2, Period: time.Hour}, PerChild: true, Events: hub}
	pids, terminated := make(chan []*actor.PID, 1), make(chan string, 4)
	parent := system.Root.Spawn(parentOf(pids, terminated, []actor.PropsOption{supervisor.WithStrategy(s)}, failing(), failing()))
	children := receive(t, pids, "the children")
	reply := make(chan int, 1)
	for range 2 {
		for _, child := range children {
			system.Root.Send(child, failNow{"boom"})
		}
	}
	system.Root.Send(children[0], failNow{"once too often"})
	if id := receive(t, terminated, "Terminated"); id != children[0].Id {
		t.Errorf("%s was stopped", id)
	}
	system.Root.Send(children[1], ask{reply})
	if n := receive(t, reply, "the other child"); n != 3 {
		t.Errorf("instance %d of the other child", n)
	}
	nothing(t, terminated, "another Terminated")
	if s.Known() != 1 {
		t.Errorf("the strategy knows %d children, want the living one", s.Known())
	}
	end(t, system, parent)
	if s.Known() != 0 {
		t.Errorf("after the parent's end it knows %d", s.Known())
	}
	spent := slices.DeleteFunc(events(), func(e supervisor.Event) bool { return e.Kind != supervisor.BudgetSpent && e.Kind != supervisor.Stopped })
	if !slices.Equal(kinds(spent), []supervisor.Kind{supervisor.BudgetSpent, supervisor.Stopped}) || spent[1].Path != children[0].Id {
		t.Errorf("events %+v", spent)
	}
}

func TestBudgetPerSupervisor(t *testing.T) {
	system := newSystem()
	hub := supervisor.NewHub()
	events := collect(hub)
	s := &supervisor.Strategy{
		Budget: supervisor.Budget{Intensity: 3, Period: time.Hour},
		Exempt: func(_ *actor.PID, f *supervisor.Failure) bool { return f.Value == "exempt" },
		Events: hub,
	}
	pids, reasons := make(chan []*actor.PID, 2), make(chan *supervisor.Failure, 1)
	middle := parentOf(pids, nil, []actor.PropsOption{supervisor.WithStrategy(s), supervisor.WithGuard(nil, nil)}, failing(), failing())
	top := &supervisor.Strategy{Budget: supervisor.Budget{Intensity: 1}, Decide: func(_ *actor.PID, f *supervisor.Failure) supervisor.Directive {
		reasons <- f
		return supervisor.Restart
	}}
	tops := make(chan []*actor.PID, 1)
	root := system.Root.Spawn(parentOf(tops, nil, []actor.PropsOption{supervisor.WithStrategy(top)}, middle))
	children := receive(t, pids, "the children")
	reply := make(chan int, 1)
	for i := range 40 {
		system.Root.Send(children[i%2], failNow{"exempt"})
	}
	for i := range 3 {
		child := children[i%2]
		system.Root.Send(child, failNow{"boom"})
		system.Root.Send(child, ask{reply})
		receive(t, reply, "an answer")
	}
	system.Root.Send(children[1], failNow{"once too often"})
	if f := receive(t, reasons, "the escalation"); f.Value != "once too often" {
		t.Errorf("escalated %v", f)
	}
	again := receive(t, pids, "the children of the restarted supervisor")
	system.Root.Send(again[0], failNow{"boom"}) // its budget begins anew
	system.Root.Send(again[0], ask{reply})
	receive(t, reply, "an answer after the escalation")
	end(t, system, root)
	got := events()
	want := []supervisor.Kind{supervisor.Failed, supervisor.BudgetSpent, supervisor.Escalated, supervisor.Failed, supervisor.Restarted}
	if list := kinds(got); len(list) < 5 || !slices.Equal(list[len(list)-5:], want) {
		t.Errorf("events end with %v, want %v", list, want)
	}
	if last := got[len(got)-1]; last.BudgetLeft != 2 || last.Incarnation != 1 {
		t.Errorf("%+v", last)
	}
}

func TestEscalationAtTheRoot(t *testing.T) {
	system := newSystem()
	pids := make(chan []*actor.PID, 2)
	root := system.Root.Spawn(parentOf(pids, nil, []actor.PropsOption{supervisor.WithStrategy(&supervisor.Strategy{})}, failing()))
	child := receive(t, pids, "the child")[0]
	seen := watch(system, root)
	system.Root.Send(child, failNow{supervisor.Critical(errors.New("boom"))})
	receive(t, seen, "the root's end")
	nothing(t, pids, "a restart of the root")
}

func TestEscalationHooks(t *testing.T) {
	system := newSystem()
	called := make(chan string, 2)
	hook := func(name string) supervisor.Upward {
		return func(system *actor.ActorSystem, sup actor.Supervisor, child *actor.PID, f *supervisor.Failure) {
			called <- fmt.Sprint(name, " ", f.Value)
			sup.StopChildren(child)
		}
	}
	pids := make(chan []*actor.PID, 1)
	s := &supervisor.Strategy{OnSpent: hook("spent"), OnEscalate: hook("escalate")}
	root := system.Root.Spawn(parentOf(pids, nil, []actor.PropsOption{supervisor.WithStrategy(s)}, failing(), failing()))
	children := receive(t, pids, "the children")
	system.Root.Send(children[0], failNow{"a bug"})
	if got := receive(t, called, "OnSpent"); got != "spent a bug" {
		t.Error(got)
	}
	system.Root.Send(children[1], failNow{supervisor.Critical(errors.New("boom"))})
	if got := receive(t, called, "OnEscalate"); got != "escalate boom" {
		t.Error(got)
	}
	end(t, system, root)
}

// As a guardian, where the library's own strategies crash the process when they escalate.
func TestStrategyAsGuardian(t *testing.T) {
	system := newSystem()
	s := &supervisor.Strategy{Budget: supervisor.Budget{Intensity: 2}, Backoff: supervisor.Backoff{Min: time.Hour}}
	pid, err := system.Root.SpawnNamed(failing().Configure(actor.WithGuardian(s)), "guarded-root")
	if err != nil {
		t.Fatal(err)
	}
	seen := watch(system, pid)
	reply := make(chan int, 1)
	system.Root.Send(pid, failNow{"a bug"})
	system.Root.Send(pid, failNow{supervisor.Temporary(errors.New("cannot wait there"))})
	system.Root.Send(pid, ask{reply})
	if n := receive(t, reply, "an answer"); n != 3 {
		t.Errorf("instance %d", n)
	}
	system.Root.Send(pid, failNow{supervisor.Critical(errors.New("boom"))})
	receive(t, seen, "the end")
}

// A failure without a guard is a Failure without a stack.
func TestStrategyOfUnguardedChild(t *testing.T) {
	system := newSystem()
	seen := make(chan *supervisor.Failure, 1)
	s := &supervisor.Strategy{Decide: func(_ *actor.PID, f *supervisor.Failure) supervisor.Directive {
		seen <- f
		return supervisor.Stop
	}}
	pids := make(chan []*actor.PID, 1)
	root := system.Root.Spawn(parentOf(pids, nil, []actor.PropsOption{supervisor.WithStrategy(s)}, actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(failNow); ok {
			panic(m.value)
		}
	})))
	child := receive(t, pids, "the child")[0]
	system.Root.Request(child, failNow{"boom"})
	f := receive(t, seen, "the failure")
	if f.Value != "boom" || f.Message != "supervisor_test.failNow" || f.Phase != supervisor.PhaseReceive || f.Incident == "" || f.Stack() != "" {
		t.Errorf("%+v", f)
	}
	end(t, system, root)
}

// A parent that never shows its strategy a Terminated must not make it grow.
func TestStrategyForgetsTheDead(t *testing.T) {
	system := newSystem()
	s := &supervisor.Strategy{Budget: supervisor.Budget{Intensity: -1}}
	terminated := make(chan string, 1)
	spawned := make(chan *actor.PID, 1)
	props := failing()
	root := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case work:
			spawned <- ctx.Spawn(props)
		case *actor.Terminated:
			terminated <- m.Who.Id
		}
	}, actor.WithSupervisor(s)))
	reply := make(chan int, 1)
	for range 500 {
		system.Root.Send(root, work{})
		child := receive(t, spawned, "a child")
		system.Root.Send(child, failNow{"boom"})
		system.Root.Send(child, ask{reply})
		receive(t, reply, "an answer")
		system.Root.Stop(child)
		receive(t, terminated, "Terminated")
	}
	if s.Known() > 40 {
		t.Errorf("it knows %d dead children", s.Known())
	}
	end(t, system, root)
}

// A child that fails after its parent began to stop is not restarted: its Stop is on its way.
func TestChildFailsWhileParentStops(t *testing.T) {
	system, hub := newSystem(), supervisor.NewHub()
	s := restartAlways()
	s.Events = hub
	events := collect(hub)
	heard := make(chan supervisor.Kind, 10)
	cancel := hub.Subscribe(10, func(e supervisor.Event) { heard <- e.Kind })
	gate, busy, stopping := make(chan struct{}), make(chan struct{}), make(chan struct{})
	child := actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case work:
			close(busy)
			<-gate
			panic("boom")
		case *actor.Stopping:
			if kind := <-heard; kind != supervisor.Failed {
				t.Errorf("heard of %v", kind)
			}
		}
	}, supervisor.WithGuard(nil, nil))
	root := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			ctx.Send(ctx.Spawn(child), work{})
		case *actor.Stopping:
			close(stopping)
		}
	}, supervisor.WithStrategy(s)))
	receive(t, busy, "the child")
	seen := watch(system, root)
	system.Root.Stop(root)
	receive(t, stopping, "Stopping")
	close(gate)
	receive(t, seen, "the end")
	cancel()
	if got := kinds(events()); !slices.Equal(got, []supervisor.Kind{supervisor.Failed, supervisor.Stopped}) {
		t.Errorf("events %v", got)
	}
}
