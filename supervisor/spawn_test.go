package supervisor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// Whoever spawns a supervisor and waits hears that all children run, or why they do not, and then nothing is left.
func TestSpawnAndAwait(t *testing.T) {
	system := newSystem()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	good := actor.PropsFromFunc(func(actor.Context) {})
	bad := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			panic("it cannot begin")
		}
	})
	begins, release := make(chan struct{}, 1), make(chan struct{})
	slow := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			begins <- struct{}{}
			<-release
		}
	})
	children := func(props ...*actor.Props) supervisor.Spec {
		s := supervisor.Spec{Name: "top"}
		for i, p := range props {
			s.Children = append(s.Children, supervisor.ChildSpec{Name: string(rune('a' + i)), Props: p})
		}
		return s
	}

	for range 20 { // the name is free again each time
		pid, err := supervisor.SpawnAndAwait(ctx, system.Root, children(good, bad, good))
		failed, ok := errors.AsType[*supervisor.StartError](err)
		if pid != nil || !ok || failed.Child != "b" || !strings.Contains(err.Error(), "it cannot begin") {
			t.Fatalf("got %v, %v", pid, err)
		}
	}
	if pid, err := supervisor.SpawnAndAwait(ctx, system.Root, supervisor.Spec{Children: []supervisor.ChildSpec{{}}}); pid != nil || err == nil {
		t.Errorf("got %v, %v", pid, err)
	}

	pid, err := supervisor.SpawnAndAwait(ctx, system.Root, children(good, good))
	if err != nil {
		t.Fatal(err)
	}
	for _, child := range request(t, system, pid, supervisor.GetChildren{}).(supervisor.Children).List {
		if child.State != supervisor.ChildRunning {
			t.Errorf("%s is %v", child.Name, child.State)
		}
	}
	end(t, system, pid)

	// One that is stopped while it starts, and one that nobody waits for any more.
	result := make(chan error, 1)
	go func() {
		_, err := supervisor.SpawnAndAwait(ctx, system.Root, children(slow, good))
		result <- err
	}()
	top := actor.NewPID(system.Address(), "top")
	// The library registers a name before the actor behind it can take a message: its child's start is a sign that it can.
	<-begins
	system.Root.Stop(top)
	close(release)
	if err := receive(t, result, "the result"); !errors.Is(err, supervisor.ErrStopping) {
		t.Errorf("got %v", err)
	}
	release = make(chan struct{})
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if _, err := supervisor.SpawnAndAwait(short, system.Root, children(slow)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := supervisor.Await(ctx, system, top); err != nil {
		t.Error(err)
	}
}
