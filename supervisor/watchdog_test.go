package supervisor_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// block is handled for as long as its channel is open; begun (may be nil) is closed first.
type block struct{ begun, until chan struct{} }

func (b block) handle() {
	if b.begun != nil {
		close(b.begun)
	}
	<-b.until
}

// sleeper handles a duration for so long, and a block.
func sleeper(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case time.Duration:
		time.Sleep(m)
	case block:
		m.handle()
	case failNow:
		m.value.(func())()
	}
}

// hangs is a Watchdog and what it told, as lines.
func hangs(limit time.Duration) (*supervisor.Watchdog, *[]string) {
	lines, start := new([]string), time.Now()
	note := func(what string) func(supervisor.Hang) {
		return func(h supervisor.Hang) {
			*lines = append(*lines, fmt.Sprintf("%v: %s %s %s for %v", time.Since(start), h.PID.Id, what, h.Message, h.For))
			panic("swallowed")
		}
	}
	return &supervisor.Watchdog{Limit: limit, Interval: time.Second, OnHang: note("hangs in"), OnRecover: note("is out of")}, lines
}

func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		w, lines := hangs(3 * time.Second)
		stop := w.Start()
		props := actor.PropsFromFunc(sleeper, supervisor.WithWatchdog(w, nil), supervisor.WithGuard(nil, nil))
		spawn := func(name string) *actor.PID {
			pid, err := system.Root.SpawnNamed(props, name)
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		slow, busy, panicky, exiting, idle := spawn("slow"), spawn("busy"), spawn("panicky"), spawn("exiting"), spawn("idle")
		time.Sleep(time.Second / 2)
		for range 2 {
			system.Root.Request(slow, 10*time.Second) // in an envelope
		}
		for range 20 {
			system.Root.Send(busy, 1900*time.Millisecond) // many that are just short enough
		}
		// A failure ends a message too. It suspends the actor, and the library's own strategy restarts it.
		system.Root.Send(panicky, failNow{func() { time.Sleep(time.Second); panic("boom") }})
		system.Root.Send(exiting, failNow{func() { time.Sleep(time.Second); runtime.Goexit() }})
		time.Sleep(40 * time.Second)
		stop()
		stop()
		want := []string{
			"4s: slow hangs in time.Duration for 3s",
			"11s: slow is out of time.Duration for 10s",
			"14s: slow hangs in time.Duration for 3s",
			"21s: slow is out of time.Duration for 10s",
		}
		if got := strings.Join(*lines, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("got:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
		}
		if w.Watched() != 5 {
			t.Errorf("%d are watched", w.Watched())
		}
		for _, pid := range []*actor.PID{slow, busy, panicky, exiting, idle} {
			end(t, system, pid)
		}
		synctest.Wait()
		if w.Watched() != 0 {
			t.Errorf("%d are watched after their end", w.Watched())
		}
		settle()
	})
}

// A hang at the end of an actor's life, and one that ends with the actor.
func TestWatchdogAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		w, lines := hangs(2 * time.Second)
		stop := w.Start()
		props := actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Stopped); ok {
				time.Sleep(5 * time.Second)
			}
		}, supervisor.WithWatchdog(w, nil), supervisor.WithGuard(nil, nil))
		first, _ := system.Root.SpawnNamed(props, "one")
		seen := watch(system, first)
		time.Sleep(time.Second / 2)
		system.Root.Stop(first)
		time.Sleep(time.Second)
		// It has left the registry: a successor of the same name may start, and must not be taken for it.
		second, err := system.Root.SpawnNamed(props, "one")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if list := w.Hanging(); len(list) != 1 || list[0].Message != "*actor.Stop" || w.Watched() != 2 {
			t.Errorf("%+v hang, %d are watched", list, w.Watched())
		}
		<-seen
		time.Sleep(time.Second)
		if w.Watched() != 1 || len(w.Hanging()) != 0 {
			t.Errorf("%d are watched", w.Watched())
		}
		stop()
		want := "3s: one hangs in *actor.Stop for 2s\n6s: one is out of *actor.Stop for 5s"
		if got := strings.Join(*lines, "\n"); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
		end(t, system, second)
		settle()
	})
}

// The children of a Spec, one of which its supervisor kills while it hangs.
func TestWatchdogOfAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		w, lines := hangs(2 * time.Second)
		stop := w.Start()
		child := func(name string, shutdown time.Duration) supervisor.ChildSpec {
			return supervisor.ChildSpec{Name: name, Props: actor.PropsFromFunc(sleeper), Mailbox: w.Mailbox(nil), Shutdown: shutdown}
		}
		root, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "root", Children: []supervisor.ChildSpec{
			child("idle", supervisor.Brutal), child("late", time.Second), child("busy", supervisor.Brutal)}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		if w.Watched() != 3 {
			t.Errorf("%d are watched", w.Watched())
		}
		system.Root.Send(system.NewLocalPID("root/late"), 10*time.Second)
		system.Root.Send(system.NewLocalPID("root/busy"), time.Second)
		synctest.Wait()
		if err := supervisor.StopAndAwait(t.Context(), system, root); err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Second)
		if w.Watched() != 1 {
			t.Errorf("%d are watched while one of them hangs", w.Watched())
		}
		time.Sleep(10 * time.Second)
		stop()
		if w.Watched() != 0 {
			t.Errorf("%d are watched when all have ended", w.Watched())
		}
		want := "3s: root/late hangs in time.Duration for 2s\n11s: root/late is out of time.Duration for 10s"
		if got := strings.Join(*lines, "\n"); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
		settle()
	})
}

// Actors come and go while somebody looks.
func TestWatchdogConcurrently(t *testing.T) {
	system := newSystem()
	w := &supervisor.Watchdog{Limit: time.Nanosecond, Interval: 100 * time.Microsecond, OnHang: func(supervisor.Hang) {}, OnRecover: func(supervisor.Hang) {}}
	stop := w.Start()
	props := actor.PropsFromFunc(sleeper, supervisor.WithWatchdog(w, actor.UnboundedLockfree()))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				pid := system.Root.Spawn(props)
				system.Root.Send(pid, time.Microsecond)
				system.Root.Send(pid, "text")
				if err := system.Root.PoisonFuture(pid).Wait(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	stop()
	// The last of them is taken off the list just after its watchers are told.
	until(func() bool { return w.Watched() == 0 })
	if w.Watched() != 0 {
		t.Errorf("%d are watched", w.Watched())
	}
}

func TestNoWatchdog(t *testing.T) {
	var w *supervisor.Watchdog
	system := newSystem()
	pid := system.Root.Spawn(actor.PropsFromFunc(sleeper, supervisor.WithWatchdog(w, nil)))
	w.Start()()
	w.Look(time.Now())
	if w.Hanging() != nil || w.Watched() != 0 {
		t.Error("a nil watchdog watches")
	}
	end(t, system, pid)
}

func BenchmarkWatchdog(b *testing.B) {
	for _, form := range []string{"none", "watched"} {
		b.Run(form, func(b *testing.B) {
			system := newSystem()
			w := new(supervisor.Watchdog)
			if form == "none" {
				w = nil
			}
			stop := w.Start()
			done := make(chan struct{})
			pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if c, ok := ctx.Message().(chan struct{}); ok {
					close(c)
				}
			}, supervisor.WithWatchdog(w, nil)))
			var message any = work{}
			b.ReportAllocs()
			for b.Loop() {
				system.Root.Send(pid, message)
			}
			system.Root.Send(pid, done)
			<-done
			system.Root.Stop(pid)
			stop()
		})
	}
}

// What one look costs, an actor.
func BenchmarkWatchdogLook(b *testing.B) {
	system, w := newSystem(), new(supervisor.Watchdog)
	props := actor.PropsFromFunc(sleeper, supervisor.WithWatchdog(w, nil))
	const n = 10_000
	pids := make([]*actor.PID, n)
	for i := range pids {
		pids[i] = system.Root.Spawn(props)
	}
	for b.Loop() {
		w.Look(time.Now())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/actor")
	for _, pid := range pids {
		system.Root.Stop(pid)
	}
}

func ExampleWatchdog() {
	told := make(chan string)
	watchdog := &supervisor.Watchdog{
		Limit:     20 * time.Millisecond,
		OnHang:    func(h supervisor.Hang) { told <- h.PID.Id + " hangs in " + h.Message },
		OnRecover: func(h supervisor.Hang) { told <- h.PID.Id + " goes on" },
	}
	stop := watchdog.Start()
	system := newSystem()
	pid, _ := system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if release, ok := ctx.Message().(chan bool); ok {
			<-release
		}
	}, supervisor.WithWatchdog(watchdog, nil)), "reader")

	release := make(chan bool)
	system.Root.Send(pid, release)
	fmt.Println(<-told)
	close(release)
	fmt.Println(<-told)
	stop()
	_ = system.Root.StopFuture(pid).Wait()
	// Output:
	// reader hangs in chan bool
	// reader goes on
}
