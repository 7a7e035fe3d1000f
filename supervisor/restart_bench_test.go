package supervisor_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// nursery is a way to supervise children, to be measured beside others.
type nursery struct {
	name string
	// open starts a parent with n children, made by produce, and returns their PIDs.
	open func(b *testing.B, system *actor.ActorSystem, n int, produce actor.Producer) (parent *actor.PID, children []*actor.PID)
}

var nurseries = []nursery{
	{"library", under(actor.WithSupervisor(actor.NewRestartingStrategy()), plainProps)},
	{"library-guarded", under(actor.WithSupervisor(actor.NewRestartingStrategy()), guardedProps)},
	{"strategy", underOurs(plainProps)},
	{"strategy-guarded", underOurs(guardedProps)},
	{"strategy-middleware", underOurs(middlewareProps)},
	{"spec", declaredChildren(plainProps, false)},
	{"spec-guarded", declaredChildren(guardedProps, true)},
}

func plainProps(produce actor.Producer) *actor.Props { return actor.PropsFromProducer(produce) }

func guardedProps(produce actor.Producer) *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor { return supervisor.Guard(produce(), nil) })
}

func middlewareProps(produce actor.Producer) *actor.Props {
	return actor.PropsFromProducer(produce, supervisor.WithGuard(nil, nil))
}

type opener = func(*testing.B, *actor.ActorSystem, int, actor.Producer) (*actor.PID, []*actor.PID)

func under(strategy actor.PropsOption, props func(actor.Producer) *actor.Props) opener {
	return func(_ *testing.B, system *actor.ActorSystem, n int, produce actor.Producer) (*actor.PID, []*actor.PID) {
		child, children := props(produce), make([]*actor.PID, n)
		started := make(chan struct{})
		parent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); ok {
				for i := range children {
					children[i] = ctx.Spawn(child)
				}
				close(started)
			}
		}, strategy))
		<-started
		return parent, children
	}
}

// underOurs is under a Strategy of its own for each parent.
func underOurs(props func(actor.Producer) *actor.Props) opener {
	return func(b *testing.B, system *actor.ActorSystem, n int, produce actor.Producer) (*actor.PID, []*actor.PID) {
		return under(supervisor.WithStrategy(restartAlways()), props)(b, system, n, produce)
	}
}

func declaredChildren(props func(actor.Producer) *actor.Props, guarded bool) opener {
	return func(b *testing.B, system *actor.ActorSystem, n int, produce actor.Producer) (*actor.PID, []*actor.PID) {
		spec, child := supervisor.Spec{Budget: supervisor.Budget{Intensity: -1}}, props(produce)
		for i := range n {
			spec.Children = append(spec.Children, supervisor.ChildSpec{Name: fmt.Sprint(i), Props: child, Guarded: guarded})
		}
		parent, err := supervisor.Spawn(system.Root, spec)
		if err != nil {
			b.Fatal(err)
		}
		reply, err := system.Root.RequestFuture(parent, supervisor.AwaitStart{}, time.Minute).Result()
		if err != nil || reply.(supervisor.ChildReply).Err != nil {
			b.Fatal(reply, err)
		}
		reply, err = system.Root.RequestFuture(parent, supervisor.GetChildren{}, time.Minute).Result()
		if err != nil {
			b.Fatal(err)
		}
		var children []*actor.PID
		for _, node := range reply.(supervisor.Children).List {
			children = append(children, node.PID)
		}
		return parent, children
	}
}

// fragile is a small actor with a state, as one that is to be measured has.
type fragile struct{ handled int }

func (f *fragile) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case failNow:
		panic(m.value)
	case ask:
		f.handled++
		m.reply <- f.handled
	}
}

func newFragile() actor.Actor { return new(fragile) }

func shut(b *testing.B, system *actor.ActorSystem, parent *actor.PID) {
	if err := supervisor.StopAndAwait(context.Background(), system, parent); err != nil {
		b.Error(err)
	}
}

// BenchmarkRestart is the time from a message that panics to the answer to the next one: the failure, the decision, the restart and two
// messages.
func BenchmarkRestart(b *testing.B) {
	for _, n := range nurseries {
		b.Run(n.name, func(b *testing.B) {
			system := newSystem()
			parent, children := n.open(b, system, 1, newFragile)
			reply := make(chan int, 1)
			var boom, next any = failNow{"boom"}, ask{reply}
			b.ReportAllocs()
			for b.Loop() {
				system.Root.Send(children[0], boom)
				system.Root.Send(children[0], next)
				<-reply
			}
			b.StopTimer()
			shut(b, system, parent)
		})
	}
}

// BenchmarkRestartStorm is how many restarts a second one parent gets done while a hundred children fail on message after message.
func BenchmarkRestartStorm(b *testing.B) {
	const crowd, rounds = 100, 10
	for _, n := range nurseries {
		b.Run(n.name, func(b *testing.B) {
			system := newSystem()
			parent, children := n.open(b, system, crowd, newFragile)
			replies := make(chan int, crowd)
			var boom, next any = failNow{"boom"}, ask{replies}
			restarts := 0
			b.ReportAllocs()
			for b.Loop() {
				for _, child := range children {
					for range rounds {
						system.Root.Send(child, boom)
					}
					system.Root.Send(child, next)
				}
				for range children {
					<-replies // the first after the last restart
				}
				restarts += crowd * rounds
			}
			b.StopTimer()
			b.ReportMetric(float64(restarts)/b.Elapsed().Seconds(), "restarts/s")
			shut(b, system, parent)
		})
	}
}

// BenchmarkChildMemory is the heap that a child costs when it is idle, by itself and after it has failed once, of ten thousand. The time
// says nothing.
func BenchmarkChildMemory(b *testing.B) {
	const crowd = 10_000
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	watched := nursery{"library-watched", under(actor.WithSupervisor(actor.NewRestartingStrategy()), func(produce actor.Producer) *actor.Props {
		return actor.PropsFromProducer(produce, supervisor.WithWatchdog(new(supervisor.Watchdog), nil))
	})}
	for _, n := range append([]nursery{watched}, nurseries...) {
		b.Run(n.name, func(b *testing.B) {
			var idle, failed float64
			for range b.N {
				system := newSystem()
				before := heap()
				parent, children := n.open(b, system, crowd, newFragile)
				reply := make(chan int)
				serve := func() {
					for _, child := range children {
						system.Root.Send(child, ask{reply})
						<-reply
					}
				}
				serve()
				idle += heap() - before
				for _, child := range children {
					system.Root.Send(child, failNow{"boom"})
				}
				serve()
				failed += heap() - before
				runtime.KeepAlive(children)
				shut(b, system, parent)
			}
			b.ReportMetric(idle/float64(b.N)/crowd, "bytes/child")
			b.ReportMetric(failed/float64(b.N)/crowd, "bytes/failed-child")
			b.ReportMetric(0, "ns/op")
		})
	}
}
