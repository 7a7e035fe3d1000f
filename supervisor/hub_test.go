package supervisor_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/understudy-go/understudy/supervisor"
)

func TestHubSubscribersHarmNobody(t *testing.T) {
	hub := supervisor.NewHub()
	release, entered := make(chan struct{}), make(chan struct{}, 100)
	var slow, wild, quick []int
	cancelSlow := hub.Subscribe(3, func(e supervisor.Event) {
		entered <- struct{}{}
		<-release
		slow = append(slow, e.Incarnation)
	})
	cancelWild := hub.Subscribe(100, func(e supervisor.Event) {
		wild = append(wild, e.Incarnation)
		if e.Incarnation%3 == 0 {
			runtime.Goexit()
		}
		panic("wild")
	})
	cancelQuick := hub.Subscribe(100, func(e supervisor.Event) {
		quick = append(quick, e.Incarnation)
		if e.Time.IsZero() {
			t.Error("an event without a time")
		}
	})
	hub.Publish(supervisor.Event{Incarnation: 1})
	receive(t, entered, "the slow subscriber")
	for i := 2; i <= 10; i++ { // three of these fit
		hub.Publish(supervisor.Event{Incarnation: i})
	}
	if n := hub.Dropped(); n != 6 {
		t.Errorf("%d dropped, want 6", n)
	}
	close(release)
	cancelSlow()
	cancelWild()
	cancelQuick()
	cancelQuick()
	if len(slow) != 4 || slow[3] != 4 {
		t.Errorf("the slow subscriber got %v, want the oldest four", slow)
	}
	if len(wild) != 10 || len(quick) != 10 {
		t.Errorf("the others got %v and %v", wild, quick)
	}
	if n := hub.Panicked(); n != 10 {
		t.Errorf("%d events ended in a panic or an exit, want 10", n)
	}
	hub.Publish(supervisor.Event{Incarnation: 11})
	if len(quick) != 10 || hub.Dropped() != 6 {
		t.Error("an event after cancel was delivered or counted")
	}
	if n := testing.AllocsPerRun(100, func() { hub.Publish(supervisor.Event{}) }); n > 0 {
		t.Errorf("publishing to nobody costs %v allocations", n)
	}
}

func TestHubNil(t *testing.T) {
	var hub *supervisor.Hub
	hub.Publish(supervisor.Event{})
	hub.Subscribe(1, nil)()
	if hub.Dropped() != 0 || hub.Panicked() != 0 {
		t.Error("a nil hub dropped something, or somebody has panicked in it")
	}
}

func TestHubConcurrently(t *testing.T) {
	hub := supervisor.NewHub()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				hub.Publish(supervisor.Event{})
			}
		})
		wg.Go(func() {
			for range 50 {
				hub.Subscribe(1, func(supervisor.Event) {})()
			}
		})
	}
	wg.Wait()
}

func TestTracker(t *testing.T) {
	var tracker supervisor.Tracker
	ctx := t.Context()
	if err := tracker.Wait(ctx); err != nil {
		t.Errorf("waiting for none: %v", err)
	}
	release := make(chan struct{})
	tracker.Go(func() { <-release })
	tracker.Go(func() { <-release; runtime.Goexit() })
	hung := tracker.Enter()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := tracker.Wait(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting with an ended context: %v", err)
	}
	waited := make(chan error, 2)
	for range 2 {
		go func() { waited <- tracker.Wait(ctx) }()
	}
	close(release)
	hung.Abandon()
	hung.Abandon()
	for range 2 {
		if err := receive(t, waited, "Wait"); err != nil {
			t.Error(err)
		}
	}
	if tracker.Running() != 0 || tracker.Abandoned() != 1 {
		t.Errorf("running %d, abandoned %d", tracker.Running(), tracker.Abandoned())
	}
	hung.Leave()
	hung.Leave()
	hung.Abandon()
	if tracker.Running() != 0 || tracker.Abandoned() != 0 {
		t.Errorf("after it left: running %d, abandoned %d", tracker.Running(), tracker.Abandoned())
	}
	var none *supervisor.Tracker
	none.Enter().Abandon()
	none.Enter().Leave()
	if none.Wait(ctx) != nil || none.Running()+none.Abandoned() != 0 {
		t.Error("a nil tracker counts")
	}
}

func TestDispatcherSurvivesGoexit(t *testing.T) {
	var tracker supervisor.Tracker
	d := supervisor.NewDispatcher(0, &tracker)
	if d.Throughput() != supervisor.DefaultThroughput || supervisor.NewDispatcher(7, nil).Throughput() != 7 {
		t.Error("throughput")
	}
	runs := 0
	d.Schedule(func() {
		if runs++; runs < 5 {
			runtime.Goexit()
		}
	})
	if err := tracker.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if runs != 5 {
		t.Errorf("it ran %d times, want 5", runs)
	}
}
