package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// processes is how many there are in the system's registry, futures and awaiters included.
func processes(system *actor.ActorSystem) (n int) {
	for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
		n += bucket.Count()
	}
	return n
}

// until waits for something that is bound to come, and lets others run meanwhile.
func until(reached func() bool) {
	deadline := time.Now().Add(patience)
	for !reached() && time.Now().Before(deadline) {
		runtime.Gosched()
	}
}

// deadLetters counts what is sent to nobody.
func deadLetters(system *actor.ActorSystem) *atomic.Int64 {
	n := new(atomic.Int64)
	system.EventStream.Subscribe(func(event any) {
		if _, ok := event.(*actor.DeadLetterEvent); ok {
			n.Add(1)
		}
	})
	return n
}

func TestAwaitTheDead(t *testing.T) {
	system := newSystem()
	lost := deadLetters(system)
	before := processes(system)
	pid := system.Root.Spawn(actor.PropsFromFunc(sleeper))
	end(t, system, pid)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, pids := range [][]*actor.PID{{}, {pid}, {nil}, {pid, pid, actor.NewPID(system.Address(), "never there")}} {
		if err := supervisor.Await(canceled, system, pids...); err != nil {
			t.Errorf("%v: %v", pids, err)
		}
	}
	if err := supervisor.StopAndAwait(t.Context(), system, pid); err != nil {
		t.Error(err)
	}
	if lost.Load() != 0 {
		t.Errorf("%d dead letters", lost.Load())
	}
	if after := processes(system) - 1; after != before { // the watcher of end lives
		t.Errorf("%d processes, were %d", after, before)
	}
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		lost, before := deadLetters(system), processes(system)
		var pids []*actor.PID
		for i := range 10 {
			pid, _ := system.Root.SpawnNamed(actor.PropsFromFunc(sleeper), fmt.Sprint("actor-", i))
			pids = append(pids, pid)
		}
		// Some get their Stop after a while, and one is restarted first, which is no end.
		go func() {
			process, _ := system.ProcessRegistry.Get(pids[0])
			process.SendSystemMessage(pids[0], &actor.Restart{})
			for _, pid := range pids[:3] {
				time.Sleep(time.Second)
				system.Root.Stop(pid)
			}
		}()
		start := time.Now()
		if err := supervisor.Await(t.Context(), system, slices.Concat(pids[:3], pids[:3])...); err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // longer than the library's futures wait
		defer cancel()
		start = time.Now()
		go func() {
			time.Sleep(time.Second)
			system.Root.Stop(pids[4])
		}()
		err := supervisor.Await(ctx, system, pids...)
		left, ok := errors.AsType[*supervisor.AwaitError](err)
		if !ok || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 20*time.Second {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
		if !slices.Equal(left.Left, append(slices.Clone(pids[3:4]), pids[5:]...)) {
			t.Errorf("left: %v", left.Left)
		}
		if want := "supervisor: waiting for the end of actor-3, actor-5, actor-6, actor-7, actor-8, 1 more: context deadline exceeded"; err.Error() != want {
			t.Error(err)
		}
		short, cancelShort := context.WithTimeout(t.Context(), time.Second)
		defer cancelShort()
		if err := supervisor.Await(short, system, pids[5:]...); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		synctest.Wait()
		if n := processes(system); n != before+6 {
			t.Errorf("%d processes, want %d", n, before+6)
		}
		if err := supervisor.StopAndAwait(t.Context(), system, pids...); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		// A watcher that stayed with one of them would have made a dead letter of its Terminated.
		if n := processes(system); n != before || lost.Load() != 0 {
			t.Errorf("%d processes, want %d; %d dead letters", n, before, lost.Load())
		}
		settle()
	})
}

// The library answers whoever watches an actor that is stopping at once, long before its end.
func TestAwaitTheStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		before := processes(system)
		var stopped atomic.Bool
		spawned := make(chan *actor.PID, 1)
		parent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				spawned <- ctx.Spawn(actor.PropsFromFunc(sleeper))
			case *actor.Stopped:
				time.Sleep(time.Minute)
				stopped.Store(true)
			}
		}))
		system.Root.Send(<-spawned, time.Hour) // so long its parent will be stopping
		synctest.Wait()
		system.Root.Stop(parent)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := supervisor.Await(ctx, system, parent); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while it is stopping: %v", err)
		}
		start := time.Now()
		if err := supervisor.Await(t.Context(), system, parent); err != nil || !stopped.Load() {
			t.Errorf("%v; stopped: %v", err, stopped.Load())
		}
		if took := time.Since(start); took < time.Hour || took > time.Hour+time.Minute {
			t.Errorf("it took %v", took)
		}
		if n := processes(system); n != before {
			t.Errorf("%d processes, want %d", n, before)
		}
		settle()
	})
}

// What waits for the end of an actor does not wait for its successor's, nor stops it.
func TestAwaitAndSuccessors(t *testing.T) {
	system := newSystem()
	props := actor.PropsFromFunc(sleeper)
	for range 200 {
		pid, err := system.Root.SpawnNamed(props, "name")
		if err != nil {
			t.Fatal(err)
		}
		if err := supervisor.StopAndAwait(t.Context(), system, pid); err != nil {
			t.Fatal(err)
		}
	}
	gate := make(chan struct{})
	first, _ := system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Stopped); ok {
			<-gate // it has left the registry
		}
	}), "name")
	awaited := make(chan error)
	go func() { awaited <- supervisor.StopAndAwait(t.Context(), system, first) }()
	var second *actor.PID
	for err := errors.New("not yet"); err != nil; {
		second, err = system.Root.SpawnNamed(props, "name")
	}
	close(gate)
	if err := receive(t, awaited, "the end"); err != nil {
		t.Error(err)
	}
	if _, alive := system.ProcessRegistry.Get(second); !alive {
		t.Error("the successor was stopped")
	}
	end(t, system, second)
}

func TestPoisonAndAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		var handled atomic.Int64
		pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(work); ok {
				time.Sleep(time.Second)
				handled.Add(1)
			}
		}))
		for range 30 {
			system.Root.Send(pid, work{})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
		defer cancel()
		if err := supervisor.PoisonAndAwait(ctx, system, pid); !errors.Is(err, context.DeadlineExceeded) || handled.Load() != 10 {
			t.Errorf("%v; %d handled", err, handled.Load())
		}
		if err := supervisor.Await(t.Context(), system, pid); err != nil || handled.Load() != 30 {
			t.Errorf("%v; %d handled", err, handled.Load())
		}
		settle()
	})
}

// Many wait for many while these are stopped from all sides; none is told before the last Stopped has been handled.
func TestAwaitConcurrently(t *testing.T) {
	system := newSystem()
	before := processes(system)
	for range 20 {
		var pids []*actor.PID
		var stopped atomic.Int64
		gate := make(chan struct{})
		for range 20 {
			pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				sleeper(ctx)
				if _, ok := ctx.Message().(*actor.Stopped); ok {
					runtime.Gosched()
					stopped.Add(1)
				}
			}))
			begun := make(chan struct{})
			system.Root.Send(pid, block{begun, gate})
			<-begun
			pids = append(pids, pid)
		}
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				wait := []func(context.Context, *actor.ActorSystem, ...*actor.PID) error{supervisor.Await, supervisor.StopAndAwait, supervisor.PoisonAndAwait}[i%3]
				if err := wait(t.Context(), system, pids...); err != nil || stopped.Load() != 20 {
					t.Errorf("%v, %d have stopped", err, stopped.Load())
				}
			})
		}
		until(func() bool { return processes(system) == before+20+8 })
		close(gate)
		all.Wait()
	}
	if n := processes(system); n != before {
		t.Errorf("%d processes, were %d", n, before)
	}
}

// elsewhere stands for the processes of another node.
type elsewhere struct {
	system *actor.ActorSystem
	why    actor.TerminatedReason
	heard  []string
}

func (e *elsewhere) SendUserMessage(_ *actor.PID, message any) {
	e.heard = append(e.heard, fmt.Sprintf("%T", message))
}

func (e *elsewhere) SendSystemMessage(pid *actor.PID, message any) {
	e.heard = append(e.heard, fmt.Sprintf("%T", message))
	if m, ok := message.(*actor.Watch); ok {
		process, _ := e.system.ProcessRegistry.Get(m.Watcher)
		process.SendSystemMessage(m.Watcher, &actor.Terminated{Who: actor.NewPID(pid.Address, pid.Id), Why: e.why})
	}
}

func (e *elsewhere) Stop(pid *actor.PID) { e.SendUserMessage(pid, &actor.Stop{}) }

func TestAwaitElsewhere(t *testing.T) {
	for why, want := range map[actor.TerminatedReason]error{
		actor.TerminatedReason_Stopped: nil, actor.TerminatedReason_NotFound: nil, actor.TerminatedReason_AddressTerminated: supervisor.ErrUnreachable,
	} {
		system := newSystem()
		e := &elsewhere{system: system, why: why}
		system.ProcessRegistry.RegisterAddressResolver(func(*actor.PID) (actor.Process, bool) { return e, true })
		pids := []*actor.PID{actor.NewPID("there:1", "a"), actor.NewPID("here:2", "a")}
		if err := supervisor.StopAndAwait(t.Context(), system, pids...); !errors.Is(err, want) {
			t.Errorf("%v: %v", why, err)
		}
		if heard := strings.Join(e.heard[:4], " "); heard != "*actor.Watch *actor.Watch *actor.Stop *actor.Stop" {
			t.Errorf("%v: they heard %v", why, heard)
		}
	}
}

// A PID may be older or newer than the address of its system.
func TestAwaitAcrossAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		pid := system.Root.Spawn(actor.PropsFromFunc(sleeper))
		system.ProcessRegistry.Address = "here:1"
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := supervisor.StopAndAwait(ctx, system, system.NewLocalPID(pid.Id), pid); err != nil {
			t.Error(err)
		}
		settle()
	})
}

func BenchmarkStopAndAwait(b *testing.B) {
	system, props := newSystem(), actor.PropsFromFunc(sleeper)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = supervisor.StopAndAwait(context.Background(), system, system.Root.Spawn(props))
		}
	})
	b.Run("StopFuture", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = system.Root.StopFuture(system.Root.Spawn(props)).Wait()
		}
	})
}

func ExamplePoisonAndAwait() {
	system := newSystem()
	pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case string:
			fmt.Println("handled:", m)
		case *actor.Stopped:
			fmt.Println("stopped")
		}
	}))
	system.Root.Send(pid, "one")
	system.Root.Send(pid, "two")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println(supervisor.PoisonAndAwait(ctx, system, pid))
	// Output:
	// handled: one
	// handled: two
	// stopped
	// <nil>
}

// An actor that goes on when another one has ended.
func ExampleAwaitAsync() {
	system := newSystem()
	done := make(chan struct{})
	job := actor.PropsFromFunc(func(actor.Context) {})
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			pid := ctx.Spawn(job)
			supervisor.AwaitAsync(context.Background(), ctx, "the job", pid)
			ctx.Poison(pid)
		case supervisor.Awaited:
			fmt.Println(m.ID, "has ended:", m.Err == nil)
			ctx.Stop(ctx.Self())
		case *actor.Stopped:
			close(done)
		}
	}))
	<-done
	// Output: the job has ended: true
}
