package supervisor_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// A supervisor of two children, the second of which depends on the first.
func ExampleSpec() {
	system := newSystem()
	events, back := supervisor.NewHub(), make(chan struct{})
	cancel := events.Subscribe(0, func(e supervisor.Event) {
		fmt.Println(e.Kind, e.Path)
		if e.Kind == supervisor.Restarted && e.Path == "shop/front" {
			close(back)
		}
	})
	worker := actor.PropsFromFunc(func(ctx actor.Context) {
		if ctx.Message() == "fail" {
			panic("as you wish")
		}
	})
	pid, err := supervisor.Spawn(system.Root, supervisor.Spec{
		Name:     "shop",
		Strategy: supervisor.RestForOne,
		Budget:   supervisor.Budget{Intensity: 5, Period: 10 * time.Second},
		Children: []supervisor.ChildSpec{
			{Name: "store", Props: worker},
			{Name: "front", Props: worker, Shutdown: time.Second},
		},
		Events: events,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// The answer comes when every child has started.
	if _, err := system.Root.RequestFuture(pid, supervisor.AwaitStart{}, time.Second).Result(); err != nil {
		fmt.Println(err)
	}
	system.Root.Send(actor.NewPID(system.Address(), "shop/store"), "fail")
	<-back
	_ = system.Root.PoisonFuture(pid).Wait()
	cancel()
	// Output:
	// started shop/store
	// started shop/front
	// exited shop/store
	// restarting shop/store
	// stopped shop/front
	// restarted shop/store
	// restarted shop/front
	// stopped shop/front
	// stopped shop/store
	// ended shop
}

// A significant child ends its supervisor when its work is done.
func ExampleExit() {
	system := newSystem()
	job := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			fmt.Println("working")
			supervisor.Exit(ctx, nil)
		}
	})
	ended := make(chan struct{})
	events := supervisor.NewHub()
	cancel := events.Subscribe(0, func(e supervisor.Event) {
		fmt.Println(e.Kind, e.Path+":", e.Reason)
		if e.Kind == supervisor.Ended {
			close(ended)
		}
	})
	_, err := supervisor.Spawn(system.Root, supervisor.Spec{
		Name:         "batch",
		AutoShutdown: supervisor.AllSignificant,
		Children: []supervisor.ChildSpec{
			{Name: "job", Props: job, Restart: supervisor.RestartTransient, Significant: true},
		},
		Events: events,
	})
	if err != nil {
		fmt.Println(err)
	}
	<-ended
	cancel()
	// Output:
	// working
	// started batch/job: none
	// exited batch/job: normal
	// ended batch: shutdown
}
