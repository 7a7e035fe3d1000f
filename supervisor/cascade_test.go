package supervisor_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// ledger notes who stopped, in order, and how many messages were handled.
type ledger struct {
	mu      sync.Mutex
	stopped []string
	handled atomic.Int64
}

func (l *ledger) stop(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = append(l.stopped, id[strings.Index(id, "/")+1:])
}

// node is an actor with children of the given fan-outs below it and a Cascade; leaves handle work once gate is closed.
func node(l *ledger, gate <-chan struct{}, leaves chan<- *actor.PID, c supervisor.Cascade, fan ...int) *actor.Props {
	return actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			if len(fan) == 0 {
				leaves <- ctx.Self()
				return
			}
			for i := range fan[0] {
				if _, err := ctx.SpawnNamed(node(l, gate, leaves, c, fan[1:]...), fmt.Sprint(i)); err != nil {
					panic(err)
				}
			}
		case work:
			<-gate
			l.handled.Add(1)
		case *actor.Stopped:
			l.stop(ctx.Self().Id)
		}
	}, supervisor.WithGuard(nil, nil), supervisor.WithStrategy(restartAlways()), supervisor.WithCascade(c))
}

func TestCascadeDrainsThreeLevels(t *testing.T) {
	system, l, hub := newSystem(), new(ledger), supervisor.NewHub()
	events := collect(hub)
	gate, leaves := make(chan struct{}), make(chan *actor.PID, 6)
	root, err := system.Root.SpawnNamed(node(l, gate, leaves, supervisor.Cascade{Events: hub}, 2, 3), "root")
	if err != nil {
		t.Fatal(err)
	}
	for range 6 {
		leaf := receive(t, leaves, "a leaf")
		for range 50 {
			system.Root.Send(leaf, work{})
		}
	}
	seen := watch(system, root)
	system.Root.Poison(root)
	system.Root.Poison(root)
	close(gate)
	receive(t, seen, "the end")
	if n := l.handled.Load(); n != 300 {
		t.Errorf("%d of 300 messages were handled", n)
	}
	want := []string{"1/2", "1/1", "1/0", "1", "0/2", "0/1", "0/0", "0", "root"}
	if !slices.Equal(l.stopped, want) {
		t.Errorf("stopped in the order %v, want %v", l.stopped, want)
	}
	if got := events(); len(got) != 9 || got[8].Kind != supervisor.Drained || got[8].Path != "root" {
		t.Errorf("%+v", got)
	}
}

func TestCascadePhases(t *testing.T) {
	system, l := newSystem(), new(ledger)
	gate, leaves := make(chan struct{}), make(chan *actor.PID, 4)
	drains := 0
	c := supervisor.Cascade{
		Phase: func(child *actor.PID) int { // even ones first
			if strings.HasSuffix(child.Id, "0") || strings.HasSuffix(child.Id, "2") {
				return 1
			}
			return 0
		},
		OnDrain: func(ctx actor.Context) {
			if !supervisor.Draining(ctx) {
				t.Error("it is not draining")
			}
			if ctx.Parent() == nil {
				drains++
			}
		},
	}
	root, _ := system.Root.SpawnNamed(node(l, gate, leaves, c, 4), "root")
	for range 4 {
		system.Root.Send(receive(t, leaves, "a leaf"), work{})
	}
	seen := watch(system, root)
	system.Root.Poison(root)
	close(gate)
	receive(t, seen, "the end")
	first := slices.Sorted(slices.Values(l.stopped[:2]))
	if !slices.Equal(first, []string{"0", "2"}) || l.stopped[4] != "root" || drains != 1 || l.handled.Load() != 4 {
		t.Errorf("stopped %v, %d drains, %d handled", l.stopped, drains, l.handled.Load())
	}
}

// What may happen to an actor while it drains: requests to spawn, messages, a child that stops by itself, its own failure or restart.
func TestCascadeInMidDrain(t *testing.T) {
	for _, what := range []string{"nothing", "stop a child", "fail", "exit", "fail on Terminated", "fail on Terminated and resume", "restart", "stop"} {
		t.Run(what, func(t *testing.T) {
			system := newSystem()
			gate, draining := make(chan struct{}), make(chan struct{}, 1)
			spawnErrors, served := make(chan error, 10), make(chan string, 10)
			var children []*actor.PID
			slow := actor.PropsFromFunc(func(ctx actor.Context) {
				if _, ok := ctx.Message().(work); ok {
					<-gate
				}
			}, supervisor.WithGuard(nil, nil))
			middle := actor.PropsFromFunc(func(ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case *actor.Started:
					for range 3 {
						pid := ctx.Spawn(slow) // panics in an incarnation that drains
						ctx.Send(pid, work{})
						children = append(children, pid)
					}
				case *actor.Terminated:
					if strings.HasPrefix(what, "fail on Terminated") {
						panic("boom")
					}
				case failNow:
					m.value.(func())()
				case string:
					_, err := ctx.SpawnNamed(slow, "late")
					spawnErrors <- err
					served <- m
				}
			}, supervisor.WithGuard(nil, nil), supervisor.WithStrategy(restartAlways()), supervisor.WithCascade(supervisor.Cascade{
				OnDrain: func(actor.Context) { draining <- struct{}{} },
			}))
			above := restartAlways()
			if strings.HasSuffix(what, "resume") {
				above.Decide = func(*actor.PID, *supervisor.Failure) supervisor.Directive { return supervisor.Resume }
			}
			pids, terminated := make(chan []*actor.PID, 1), make(chan string, 10)
			root := system.Root.Spawn(parentOf(pids, terminated, []actor.PropsOption{supervisor.WithStrategy(above)}, middle))
			pid := receive(t, pids, "the child")[0]
			system.Root.Poison(pid)
			receive(t, draining, "the drain")
			system.Root.Send(pid, "hello")
			receive(t, served, "a message in mid-drain")
			if err := receive(t, spawnErrors, "the spawn"); !errors.Is(err, supervisor.ErrDraining) {
				t.Errorf("spawning in mid-drain: %v", err)
			}
			switch what {
			case "stop a child":
				for _, child := range children[:2] {
					system.Root.Stop(child)
				}
			case "fail":
				system.Root.Send(pid, failNow{panics})
			case "exit":
				system.Root.Send(pid, failNow{exits})
			case "restart":
				process, _ := system.ProcessRegistry.Get(pid)
				process.SendSystemMessage(pid, &actor.Restart{})
			case "stop":
				system.Root.Stop(pid)
			}
			system.Root.Poison(pid)
			close(gate)
			receive(t, terminated, "the end")
			end(t, system, root)
			nothing(t, terminated, "a second end")
			nothing(t, draining, "a second drain")
		})
	}
}

func TestCascadeOnDrainPanics(t *testing.T) {
	system := newSystem()
	leaves := make(chan *actor.PID, 1)
	l := new(ledger)
	props := node(l, nil, leaves, supervisor.Cascade{OnDrain: func(ctx actor.Context) {
		if ctx.Parent() == nil {
			panic("boom")
		}
	}}, 1)
	root := system.Root.Spawn(props)
	receive(t, leaves, "the leaf")
	seen := watch(system, root)
	system.Root.Poison(root)
	receive(t, seen, "the end")
}

// Many children that come and go cost nothing that stays.
func TestCascadeOfShortLivedChildren(t *testing.T) {
	system := newSystem()
	spawned, terminated := make(chan *actor.PID, 1), make(chan struct{}, 1)
	leaf := actor.PropsFromFunc(func(actor.Context) {})
	props := actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case work:
			spawned <- ctx.Spawn(leaf)
		case *actor.Terminated:
			terminated <- struct{}{}
		}
	}, supervisor.WithCascade(supervisor.Cascade{}))
	a, b := system.Root.Spawn(props), system.Root.Spawn(props) // shared props, separate state
	for range 100 {
		system.Root.Send(a, work{})
		system.Root.Stop(receive(t, spawned, "a child"))
		receive(t, terminated, "Terminated")
	}
	seen := watch(system, a, b)
	system.Root.Poison(a)
	if id := receive(t, seen, "the end"); id != a.Id {
		t.Error("the wrong actor ended")
	}
	system.Root.Send(b, work{})
	receive(t, spawned, "a child of the other one")
	system.Root.Poison(b)
	receive(t, terminated, "its child")
	receive(t, seen, "its end")
}
