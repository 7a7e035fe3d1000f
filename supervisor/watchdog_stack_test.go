package supervisor_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

func TestWatchdogStacks(t *testing.T) {
	system := newSystem()
	var mu sync.Mutex
	stacks := make(map[string]string)
	w := &supervisor.Watchdog{Limit: time.Second, Stacks: true, OnHang: func(h supervisor.Hang) {
		mu.Lock()
		defer mu.Unlock()
		stacks[h.PID.Id] = h.Stack
	}}
	until := make(chan struct{})
	var pids []*actor.PID
	spawn := func(name string, props *actor.Props) *actor.PID {
		pid, err := system.Root.SpawnNamed(props, name)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
		return pid
	}
	for i := range 20 {
		pid := spawn(fmt.Sprintf("hanging-%d", i), actor.PropsFromFunc(sleeper, supervisor.WithWatchdog(w, nil)))
		begun := make(chan struct{})
		system.Root.Send(pid, block{begun, until})
		<-begun
	}
	begun := make(chan struct{})
	stopping := spawn("stopping", actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Stopping); ok {
			block{begun, until}.handle()
		}
	}, supervisor.WithWatchdog(w, nil), supervisor.WithGuard(nil, nil)))
	seen := watch(system, pids...)
	system.Root.Stop(stopping)
	<-begun
	now := time.Now()
	w.Look(now)
	w.Look(now.Add(time.Second))
	w.Look(now.Add(2 * time.Second))
	if len(stacks) != 21 {
		t.Errorf("%d hangs were told", len(stacks))
	}
	distinct := make(map[string]bool)
	for name, stack := range stacks {
		if !strings.Contains(stack, "supervisor_test.block.handle") {
			t.Errorf("%s:\n%s", name, stack)
		}
		distinct[strings.SplitN(stack, " ", 3)[1]] = true
	}
	if len(distinct) != 21 {
		t.Errorf("%d goroutines, want each actor's own", len(distinct))
	}
	if !strings.Contains(stacks["stopping"], "TestWatchdogStacks.func") {
		t.Errorf("the guard's goroutine is missing:\n%s", stacks["stopping"])
	}
	close(until)
	for _, pid := range pids {
		system.Root.Stop(pid)
	}
	for range pids {
		receive(t, seen, "the ends")
	}
}
