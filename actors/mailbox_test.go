package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// rig is one actor with our mailbox, under a parent that restarts it whenever it fails.
type rig struct {
	t       testing.TB
	system  *actor.ActorSystem
	mailbox *Mailbox
	pid     *actor.PID
	idle    chan struct{} // hears each OnIdle; newRig only
	started chan int      // hears the number of each incarnation
	failed  chan any      // hears the reason of each failure
	stopped chan struct{}
	urgent  sync.Map // what to call for a system message
}

// newRig spawns the actor, and waits until it has come to rest.
func newRig(t testing.TB, mailbox *Mailbox, guarded bool, other func(message any)) *rig {
	t.Helper()
	idle := make(chan struct{}, 100_000)
	mailbox.OnIdle = func() { idle <- struct{}{} }
	r := spawnRig(t, mailbox, guarded, other)
	r.idle = idle
	r.rest()
	return r
}

// spawnRig spawns the actor, and waits until it has started. The test's own messages are functions, which the actor
// calls; other hears of those that are not.
func spawnRig(t testing.TB, mailbox *Mailbox, guarded bool, other func(message any)) *rig {
	t.Helper()
	r := &rig{
		t: t, system: newSystem(), mailbox: mailbox,
		started: make(chan int, 1000), failed: make(chan any, 1000), stopped: make(chan struct{}),
	}
	tracker := new(supervisor.Tracker)
	incarnations := 0
	receive := func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case func():
			m()
		case *actor.Terminated:
			if f, ok := r.urgent.LoadAndDelete(m); ok {
				f.(func())()
			}
		case *actor.Started:
			r.started <- incarnations
		case *actor.Stopped:
			close(r.stopped)
		default:
			if other != nil {
				other(m)
			}
		}
	}
	props := actor.PropsFromProducer(
		func() actor.Actor {
			incarnations++
			if guarded {
				return supervisor.Guard(actor.ReceiveFunc(receive), nil)
			}
			return actor.ReceiveFunc(receive)
		},
		actor.WithMailbox(func() actor.Mailbox { return mailbox }),
		actor.WithDispatcher(supervisor.NewDispatcher(0, tracker)),
	)
	pids, parentStopped := make(chan *actor.PID, 1), make(chan struct{})
	parent := r.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			pids <- ctx.Spawn(props)
		case *actor.Stopped:
			close(parentStopped)
		}
	}, actor.WithSupervisor(restarting{r.failed})))
	r.pid = await(t, pids, "the actor to be spawned")
	await(t, r.started, "the actor to start")
	t.Cleanup(func() {
		r.system.Root.Stop(parent)
		await(t, parentStopped, "the parent to stop")
		r.system.Shutdown()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := tracker.Wait(ctx); err != nil {
			t.Errorf("goroutines of the dispatcher still run: %v", err)
		}
	})
	return r
}

// restarting is a strategy that tells of each failure and restarts the child.
type restarting struct{ failed chan any }

func (s restarting) HandleFailure(_ *actor.ActorSystem, parent actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	s.failed <- reason
	parent.RestartChildren(child)
}

// rest waits until the actor has come to rest once more.
func (r *rig) rest() {
	r.t.Helper()
	await(r.t, r.idle, "the actor to come to rest")
}

func (r *rig) run(message any) {
	r.t.Helper()
	if !r.mailbox.TryRun(message) {
		r.t.Fatal("TryRun did nothing, and the actor is at rest")
	}
}

// postSystem posts a system message that the actor handles by calling f.
func (r *rig) postSystem(f func()) {
	m := &actor.Terminated{Who: actor.NewPID("nowhere", "nobody")}
	r.urgent.Store(m, f)
	r.mailbox.PostSystemMessage(m)
}

// suspend suspends the mailbox, as a failure does, and returns what resumes it.
func (r *rig) suspend() (resume func()) {
	r.t.Helper()
	r.mailbox.PostSystemMessage(&actor.SuspendMailbox{})
	suspended := make(chan struct{})
	r.postSystem(func() { close(suspended) })
	await(r.t, suspended, "the suspension")
	for r.mailbox.status.Load() != resting { // the goroutine that handled it is about to leave
		runtime.Gosched()
	}
	return func() { r.mailbox.PostSystemMessage(&actor.ResumeMailbox{}) }
}

func quiet[T any](t *testing.T, ch <-chan T, what string) {
	t.Helper()
	if len(ch) > 0 {
		t.Errorf("%s: %v", what, <-ch)
	}
}

func TestTryRunIsInline(t *testing.T) {
	r := newRig(t, new(Mailbox), true, nil)
	ran := "" // plain memory, written before TryRun returns
	r.run(func() { ran = goroutine() })
	if ran != goroutine() {
		t.Errorf("ran on %q, want the caller's, %q", ran, goroutine())
	}
	r.rest()
	where := make(chan string, 2)
	r.mailbox.PostUserMessage(func() { where <- goroutine() })
	if got := await(t, where, "a posted message"); got == goroutine() {
		t.Error("a posted message ran on the poster's goroutine")
	}
	r.postSystem(func() { where <- goroutine() })
	if got := await(t, where, "a system message"); got == goroutine() {
		t.Error("a system message ran on the poster's goroutine")
	}
}

// What is posted while an inline run is under way is handled after it, on another goroutine, and system messages first.
func TestPostDuringInlineRun(t *testing.T) {
	r := newRig(t, new(Mailbox), true, nil)
	type handled struct{ what, where string }
	seen := make(chan handled, 3)
	finished := false // plain: the race detector sees whether a message overlaps with the run
	r.run(func() {
		for _, what := range []string{"first", "second"} {
			r.mailbox.PostUserMessage(func() {
				if !finished {
					t.Error("a message ran while the inline run was under way")
				}
				seen <- handled{what, goroutine()}
			})
		}
		r.postSystem(func() {
			if !finished {
				t.Error("a system message ran while the inline run was under way")
			}
			seen <- handled{"system", goroutine()}
		})
		if n := r.mailbox.UserMessageCount(); n != 2 {
			t.Errorf("%d user messages wait, want 2", n)
		}
		if r.mailbox.TryRun(func() { t.Error("ran inside an inline run") }) {
			t.Error("TryRun says that it ran a message inside an inline run")
		}
		finished = true
	})
	for _, want := range []string{"system", "first", "second"} {
		got := await(t, seen, "what was posted during an inline run")
		if got.what != want || got.where == goroutine() {
			t.Errorf("got %s on %s, want %s on another goroutine than %s", got.what, got.where, want, goroutine())
		}
	}
	r.rest()
	quiet(t, r.idle, "came to rest twice")
}

// TryRun gives way to whatever waits, and to a suspension.
func TestTryRunGivesWay(t *testing.T) {
	r := newRig(t, new(Mailbox), true, nil)
	never := func() { t.Error("ran") }
	entered, release := make(chan struct{}), make(chan struct{})
	r.mailbox.PostUserMessage(func() { close(entered); <-release })
	await(t, entered, "a message to run")
	if r.mailbox.TryRun(never) {
		t.Error("TryRun ran beside another message")
	}
	close(release)
	r.rest()

	resume := r.suspend()
	if r.mailbox.TryRun(never) {
		t.Error("TryRun ran in a suspended actor")
	}
	order := make(chan int, 1)
	r.mailbox.PostUserMessage(func() { order <- 1 })
	if r.mailbox.TryRun(never) {
		t.Error("TryRun overtook a message")
	}
	quiet(t, order, "a suspended actor handled a message")
	quiet(t, r.idle, "a suspended actor came to rest")
	resume()
	await(t, order, "the message that waited for the suspension to end")
	r.rest()
	r.run(func() {})
}

// A sender that has queued its message, and is not scheduled any further for now, is not overtaken; nor does it matter that it
// finds the mailbox running when it goes on: TryRun has what waits handled.
func TestTryRunMeetsASenderHalfway(t *testing.T) {
	r := newRig(t, new(Mailbox), true, nil)
	handled := make(chan struct{}, 1)
	for range 2 { // after the first time, too, it must be at rest
		r.mailbox.mu.Lock()
		r.mailbox.user.push(func() { handled <- struct{}{} })
		r.mailbox.mu.Unlock()
		r.mailbox.waiting.Add(1)
		if r.mailbox.TryRun(func() { t.Error("ran") }) {
			t.Error("TryRun overtook a message")
		}
		await(t, handled, "the message")
		r.rest()

		m := &actor.Terminated{Who: actor.NewPID("nowhere", "nobody")}
		r.urgent.Store(m, func() { handled <- struct{}{} })
		r.mailbox.mu.Lock()
		r.mailbox.system.push(m)
		r.mailbox.mu.Unlock()
		r.mailbox.urgent.Add(1)
		if r.mailbox.TryRun(func() { t.Error("ran") }) {
			t.Error("TryRun overtook a system message")
		}
		await(t, handled, "the system message")
		r.rest()
	}
	r.run(func() {})
}

// OnIdle is called each time the mailbox has come to rest, with nothing waiting, and finds an actor that can be run at once.
func TestOnIdleFollowsEachRun(t *testing.T) {
	r := newRig(t, new(Mailbox), true, nil)
	for range 100 {
		r.run(func() {})
		r.rest()
		r.mailbox.PostUserMessage(func() {})
		r.rest()
		r.postSystem(func() {})
		r.rest()
	}
	quiet(t, r.idle, "came to rest more often than it ran")

	mailbox := new(Mailbox)
	ran, idle := 0, make(chan struct{}, 10)
	mailbox.OnIdle = func() {
		idle <- struct{}{}
		if ran < 3 {
			if !mailbox.TryRun(func() { ran++ }) {
				t.Error("OnIdle was called, and TryRun does nothing")
			}
		}
	}
	spawnRig(t, mailbox, true, nil)
	for range 4 { // once after Started, and once after each run
		await(t, idle, "the actor to come to rest")
	}
	quiet(t, idle, "came to rest more often than it ran")
}

func TestPill(t *testing.T) {
	type drain struct{}
	got := make(chan any, 2)
	r := newRig(t, &Mailbox{OnPill: func() any { return drain{} }}, true, func(m any) { got <- m })
	r.system.Root.Poison(r.pid)
	if m := await(t, got, "the pill"); m != (drain{}) {
		t.Errorf("got %T, want the pill's replacement", m)
	}
	r.rest()
	quiet(t, r.stopped, "the actor stopped")
	r.system.Root.Stop(r.pid)
	await(t, r.stopped, "the actor to stop")

	r = newRig(t, new(Mailbox), true, nil)
	r.system.Root.Poison(r.pid)
	await(t, r.stopped, "the pill to stop an actor that has no other one")
}

// A stopped actor swallows what is run or posted: TryRun says true, but the message is not handled.
func TestTryRunOnAStoppedActor(t *testing.T) {
	r := newRig(t, new(Mailbox), true, nil)
	r.system.Root.Stop(r.pid)
	await(t, r.stopped, "the actor to stop")
	r.rest()
	if !r.mailbox.TryRun(func() { t.Error("a stopped actor was run") }) {
		t.Error("TryRun says that it did nothing in a stopped actor: a claim would never end")
	}
	r.rest()
	r.mailbox.PostUserMessage(func() { t.Error("a stopped actor handled a message") })
	r.rest()
	if n := r.mailbox.UserMessageCount(); n != 0 {
		t.Errorf("%d messages wait", n)
	}
}

// A panic is escalated, however the message came; the actor is restarted, and what waited is handled after it.
func TestPanicIsEscalated(t *testing.T) {
	for _, guarded := range []bool{false, true} {
		for _, inline := range []bool{false, true} {
			t.Run(fmt.Sprintf("guarded %v, inline %v", guarded, inline), func(t *testing.T) {
				r := newRig(t, new(Mailbox), guarded, nil)
				cause := errors.New("boom")
				for incarnation := 2; incarnation < 5; incarnation++ {
					after := make(chan int, 1)
					crash := func() {
						r.mailbox.PostUserMessage(func() { after <- len(r.started) })
						panic(cause)
					}
					if inline {
						r.run(crash)
					} else {
						r.mailbox.PostUserMessage(crash)
					}
					reason := await(t, r.failed, "the failure")
					if err, ok := reason.(error); !ok || !errors.Is(err, cause) {
						t.Errorf("failed with %v, want %v", reason, cause)
					}
					if n := await(t, after, "the message behind the crash"); n != 1 {
						t.Error("what waited behind the crash was handled before the restart")
					}
					if n := await(t, r.started, "the restart"); n != incarnation {
						t.Errorf("incarnation %d, want %d", n, incarnation)
					}
					r.rest()
				}
				ran := false
				r.run(func() { ran = true })
				if !ran {
					t.Error("TryRun did nothing after the restarts")
				}
				quiet(t, r.failed, "failed once more")
			})
		}
	}
}

// runtime.Goexit ends the goroutine that runs a message; the mailbox goes on.
func TestGoexit(t *testing.T) {
	for _, tt := range []struct{ guarded, inline bool }{{false, false}, {false, true}, {true, false}} {
		t.Run(fmt.Sprintf("guarded %v, inline %v", tt.guarded, tt.inline), func(t *testing.T) {
			r := newRig(t, new(Mailbox), tt.guarded, nil)
			if tt.inline {
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					r.mailbox.TryRun(runtime.Goexit)
					t.Error("TryRun returned")
				}()
				await(t, ended, "the goroutine to end")
			} else {
				r.mailbox.PostUserMessage(runtime.Goexit)
			}
			if tt.guarded { // without a guard nobody notices
				reason := await(t, r.failed, "the failure")
				if err, ok := reason.(error); !ok || !errors.Is(err, supervisor.ErrGoexit) {
					t.Errorf("failed with %v, want %v", reason, supervisor.ErrGoexit)
				}
				await(t, r.started, "the restart")
			}
			r.rest()
			ran := false
			r.run(func() { ran = true })
			if !ran {
				t.Error("TryRun did nothing")
			}
			after := make(chan struct{})
			r.mailbox.PostUserMessage(func() { close(after) })
			await(t, after, "a message after the exit")
		})
	}
}

// Rounds of everything at once, each of which must come to its end by itself: a wake-up that got lost would leave the
// last messages of a round lying, as nobody posts another one. Never do two messages run at once.
func TestMailboxLosesNothing(t *testing.T) {
	const rounds, senders = 3000, 3
	r := newRig(t, new(Mailbox), true, nil)
	var busy atomic.Bool
	handled, inline := 0, 0 // plain: guarded by being handled one at a time
	for range rounds {
		var left atomic.Int64
		end := make(chan struct{})
		ended := func() {
			if left.Add(-1) == 0 {
				close(end)
			}
		}
		message := func() {
			if !busy.CompareAndSwap(false, true) {
				t.Error("two messages at once")
			}
			handled++
			busy.Store(false)
			ended()
		}
		left.Store(3 * senders)
		var inlined atomic.Int64
		for range senders {
			go r.mailbox.PostUserMessage(message)
			go r.postSystem(message)
			go func() {
				if r.mailbox.TryRun(message) {
					inlined.Add(1)
				} else {
					r.mailbox.PostUserMessage(message)
				}
			}()
		}
		await(t, end, "the messages of a round")
		inline += int(inlined.Load())
	}
	if handled != rounds*3*senders {
		t.Errorf("%d messages handled, want %d", handled, rounds*3*senders)
	}
	if inline == 0 {
		t.Error("nothing ever ran inline")
	}
}

// The same with an actor that fails every now and then, and is suspended and restarted meanwhile.
func TestMailboxLosesNothingInACrashStorm(t *testing.T) {
	const rounds = 300
	r := newRig(t, new(Mailbox), true, nil)
	crashes := 0
	for round := range rounds {
		var left atomic.Int64
		left.Store(6)
		end := make(chan struct{})
		message := func(crash bool) func() {
			return func() {
				if left.Add(-1) == 0 {
					close(end)
				}
				if crash {
					panic("boom")
				}
			}
		}
		for i := range 2 {
			crash := round%3 == i
			if crash {
				crashes++
			}
			go r.mailbox.PostUserMessage(message(crash))
			go r.postSystem(message(false))
			go func() {
				if !r.mailbox.TryRun(message(false)) {
					r.mailbox.PostUserMessage(message(false))
				}
			}()
		}
		await(t, end, "the messages of a round")
	}
	for range crashes {
		await(t, r.failed, "a failure")
		await(t, r.started, "a restart")
	}
	quiet(t, r.failed, "failed more often than it crashed")
}

// The pattern of pool and worker: one claims when OnIdle says so, others post; a claim that does not run is made up for by
// a later OnIdle.
func TestOnIdleIsNeverMissed(t *testing.T) {
	const claims = 3000
	mailbox := new(Mailbox)
	idle := make(chan struct{}, 1) // one token: as in the idle set, twice is once
	mailbox.OnIdle = func() {
		select {
		case idle <- struct{}{}:
		default:
		}
	}
	r := spawnRig(t, mailbox, true, nil)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for !stop.Load() {
				handled := make(chan struct{})
				r.postSystem(func() { close(handled) })
				<-handled
			}
		})
	}
	ran := 0
	for range claims {
		await(t, idle, "OnIdle after a claim, whether it ran or not")
		mailbox.TryRun(func() { ran++ })
	}
	stop.Store(true)
	wg.Wait()
	if ran == 0 || ran > claims {
		t.Errorf("%d claims of %d ran", ran, claims)
	}
}

func TestFifo(t *testing.T) {
	var q fifo
	if q.pop() != nil {
		t.Error("popped something of nothing")
	}
	next := 0
	for i := range 1000 {
		q.push(i)
		if i%3 == 0 {
			if got := q.pop(); got != next {
				t.Fatalf("popped %v, want %d", got, next)
			}
			next++
		}
	}
	for ; next < 1000; next++ {
		if got := q.pop(); got != next {
			t.Fatalf("popped %v, want %d", got, next)
		}
	}
	if q.pop() != nil || q.head != 0 || len(q.items) != 0 {
		t.Error("an empty queue does not start over")
	}
	for _, m := range q.items[:cap(q.items)] {
		if m != nil {
			t.Fatal("an empty queue holds on to messages")
		}
	}
}

func BenchmarkMailboxTryRun(b *testing.B) {
	mailbox := &Mailbox{OnIdle: func() {}}
	n := 0
	r := spawnRig(b, mailbox, true, nil)
	for mailbox.status.Load() != resting {
		runtime.Gosched()
	}
	var message any = func() { n++ }
	b.ReportAllocs()
	for b.Loop() {
		if !r.mailbox.TryRun(message) {
			b.Fatal("not at rest")
		}
	}
	if n == 0 {
		b.Fatal("nothing ran")
	}
}

func BenchmarkMailboxPost(b *testing.B) {
	r := spawnRig(b, &Mailbox{OnIdle: func() {}}, true, nil)
	handled := make(chan struct{}, 1)
	var message any = func() { handled <- struct{}{} }
	b.ReportAllocs()
	for b.Loop() {
		r.mailbox.PostUserMessage(message)
		<-handled
	}
}
