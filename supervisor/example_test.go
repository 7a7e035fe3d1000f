package supervisor_test

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/supervisor"
)

// worker crashes when it is told to.
func worker(ctx actor.Context) {
	switch ctx.Message() {
	case "crash":
		panic("as it was told")
	case "done":
		supervisor.Exit(ctx, nil)
	}
}

var workers = actor.PropsFromFunc(worker)

// story prints what happens in a tree: one line an event.
type story struct {
	hub  *supervisor.Hub
	seen chan supervisor.Event
	end  func()
}

func newStory() *story {
	s := &story{hub: supervisor.NewHub(), seen: make(chan supervisor.Event, 100)}
	s.end = s.hub.Subscribe(0, func(e supervisor.Event) { s.seen <- e })
	return s
}

// until prints events up to the first of a kind about an actor.
func (s *story) until(kind supervisor.Kind, path string) {
	for e := range s.seen {
		fmt.Println(e.Kind, e.Path)
		if e.Kind == kind && e.Path == path {
			return
		}
	}
}

// send sends a message to a child by its path.
func send(system *actor.ActorSystem, path string, message any) {
	system.Root.Send(actor.NewPID(system.Address(), path), message)
}

// One-for-one: children that do not depend on each other.
func ExampleSpawn() {
	system, story := newSystem(), newStory()
	defer story.end()
	shop, err := supervisor.Spawn(system.Root, supervisor.Spec{
		Name:   "shop",
		Events: story.hub,
		Children: []supervisor.ChildSpec{
			{Name: "prices", Props: workers},
			{Name: "orders", Props: workers},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	story.until(supervisor.Started, "shop/orders")

	send(system, "shop/prices", "crash")
	story.until(supervisor.Restarted, "shop/prices")

	system.Root.Poison(shop)
	story.until(supervisor.Ended, "shop")
	// Output:
	// started shop/prices
	// started shop/orders
	// exited shop/prices
	// restarting shop/prices
	// restarted shop/prices
	// stopped shop/orders
	// stopped shop/prices
	// ended shop
}

// One-for-all: children that know things about each other. When one loses its state, what the others know is wrong.
func ExampleSpec_oneForAll() {
	system, story := newSystem(), newStory()
	defer story.end()
	game, _ := supervisor.Spawn(system.Root, supervisor.Spec{
		Name:     "game",
		Strategy: supervisor.OneForAll,
		Events:   story.hub,
		Children: []supervisor.ChildSpec{
			{Name: "board", Props: workers},
			{Name: "clock", Props: workers},
		},
	})
	story.until(supervisor.Started, "game/clock")

	send(system, "game/board", "crash")
	story.until(supervisor.Restarted, "game/clock")

	system.Root.Poison(game)
	story.until(supervisor.Ended, "game")
	// Output:
	// started game/board
	// started game/clock
	// exited game/board
	// restarting game/board
	// stopped game/clock
	// restarted game/board
	// restarted game/clock
	// stopped game/clock
	// stopped game/board
	// ended game
}

// Rest-for-one: each child uses those that were started before it.
func ExampleSpec_restForOne() {
	system, story := newSystem(), newStory()
	defer story.end()
	site, _ := supervisor.Spawn(system.Root, supervisor.Spec{
		Name:     "site",
		Strategy: supervisor.RestForOne,
		Events:   story.hub,
		Children: []supervisor.ChildSpec{
			{Name: "database", Props: workers},
			{Name: "cache", Props: workers},
			{Name: "pages", Props: workers},
		},
	})
	story.until(supervisor.Started, "site/pages")

	send(system, "site/cache", "crash")
	story.until(supervisor.Restarted, "site/pages")

	system.Root.Poison(site)
	story.until(supervisor.Ended, "site")
	// Output:
	// started site/database
	// started site/cache
	// started site/pages
	// exited site/cache
	// restarting site/cache
	// stopped site/pages
	// restarted site/cache
	// restarted site/pages
	// stopped site/pages
	// stopped site/cache
	// stopped site/database
	// ended site
}

// Dynamic: any number of children of one kind, started when there is something to do. A temporary one is not restarted.
func ExampleSpec_dynamic() {
	system, story := newSystem(), newStory()
	defer story.end()
	calls, _ := supervisor.Spawn(system.Root, supervisor.Spec{
		Name:     "calls",
		Strategy: supervisor.Dynamic,
		Events:   story.hub,
		Template: supervisor.ChildSpec{Props: workers, Restart: supervisor.RestartTemporary},
	})

	for range 2 {
		reply, err := system.Root.RequestFuture(calls, supervisor.StartChild{}, time.Minute).Result()
		if err != nil {
			fmt.Println(err)
			return
		}
		story.until(supervisor.Started, "calls/"+reply.(supervisor.ChildReply).Name)
	}
	send(system, "calls/1", "done")
	story.until(supervisor.Exited, "calls/1")

	system.Root.Poison(calls)
	story.until(supervisor.Ended, "calls")
	// Output:
	// started calls/1
	// started calls/2
	// exited calls/1
	// stopped calls/2
	// ended calls
}

// A budget ends what restarts do not help, and the level above decides. It is permanent here, and so begins anew.
func ExampleBudget() {
	system, story := newSystem(), newStory()
	defer story.end()
	top, _ := supervisor.Spawn(system.Root, supervisor.Spec{
		Name:   "top",
		Events: story.hub,
		Children: []supervisor.ChildSpec{{
			Name: "low",
			Supervisor: &supervisor.Spec{
				Budget:   supervisor.Budget{Intensity: 1, Period: time.Hour},
				Children: []supervisor.ChildSpec{{Name: "leaf", Props: workers}},
			},
		}},
	})
	story.until(supervisor.Started, "top/low")
	send(system, "top/low/leaf", "crash")
	story.until(supervisor.Restarted, "top/low/leaf")
	send(system, "top/low/leaf", "crash")
	story.until(supervisor.Restarted, "top/low")

	system.Root.Poison(top)
	story.until(supervisor.Ended, "top")
	// Output:
	// started top/low/leaf
	// started top/low
	// exited top/low/leaf
	// restarting top/low/leaf
	// restarted top/low/leaf
	// exited top/low/leaf
	// budget spent top/low/leaf
	// ended top/low
	// exited top/low
	// restarting top/low
	// started top/low/leaf
	// restarted top/low
	// stopped top/low/leaf
	// ended top/low
	// stopped top/low
	// ended top
}

// A transient child is restarted after a failure, and not when it has done its work. A significant one takes its
// supervisor with it then.
func ExampleExit() {
	system, story := newSystem(), newStory()
	defer story.end()
	_, _ = supervisor.Spawn(system.Root, supervisor.Spec{
		Name:         "job",
		AutoShutdown: supervisor.AnySignificant,
		Events:       story.hub,
		Children: []supervisor.ChildSpec{
			{Name: "log", Props: workers},
			{Name: "work", Props: workers, Restart: supervisor.RestartTransient, Significant: true},
		},
	})
	story.until(supervisor.Started, "job/work")
	send(system, "job/work", "crash")
	story.until(supervisor.Restarted, "job/work")
	send(system, "job/work", "done")
	story.until(supervisor.Ended, "job")
	// Output:
	// started job/log
	// started job/work
	// exited job/work
	// restarting job/work
	// restarted job/work
	// exited job/work
	// stopped job/log
	// ended job
}

// A Tree shows a running supervisor from outside, at next to no cost for its actors.
func ExampleTree() {
	system, story, tree := newSystem(), newStory(), new(supervisor.Tree)
	defer story.end()
	shop, _ := supervisor.Spawn(system.Root, supervisor.Spec{
		Name:   "shop",
		Events: story.hub,
		Tree:   tree,
		Children: []supervisor.ChildSpec{
			{Name: "prices", Props: workers},
			{Name: "till", Supervisor: &supervisor.Spec{Strategy: supervisor.Dynamic, Template: supervisor.ChildSpec{Props: workers}}},
		},
	})
	story.until(supervisor.Started, "shop/till")
	send(system, "shop/prices", "crash")
	story.until(supervisor.Restarted, "shop/prices")

	root, _ := tree.Snapshot()
	for _, child := range root.Children {
		fmt.Printf("%s is %v, incarnation %d\n", child.Name, child.State, child.Incarnation)
	}
	fmt.Println("restarts left:", root.BudgetLeft)

	system.Root.Poison(shop)
	story.until(supervisor.Ended, "shop")
	// Output:
	// started shop/prices
	// started shop/till
	// exited shop/prices
	// restarting shop/prices
	// restarted shop/prices
	// prices is running, incarnation 1
	// till is running, incarnation 0
	// restarts left: 0
	// ended shop/till
	// stopped shop/till
	// stopped shop/prices
	// ended shop
}

// A declaration that cannot be meant is refused, with all that is wrong in it.
func ExampleSpec_Validate() {
	err := supervisor.Spec{
		Name: "shop",
		Children: []supervisor.ChildSpec{
			{Name: "prices", Props: workers},
			{Name: "prices", Props: workers, Significant: true},
			{Name: "orders"},
		},
	}.Validate()
	fmt.Println(err)
	// Output:
	// supervisor "shop", child "prices": Name prices: another child has it
	// supervisor "shop", child "prices": Significant true: has no meaning under AutoShutdown never
	// supervisor "shop", child "prices": Significant true: a permanent child cannot be significant, as it never ends for good
	// supervisor "shop", child "orders": Props nil: must be given, unless Supervisor is
}

// A parent that is not a supervisor of this package can have a strategy of it.
func ExampleStrategy() {
	system, story := newSystem(), newStory()
	defer story.end()
	children := make(chan *actor.PID)
	parent := system.Root.Spawn(actor.PropsFromFunc(
		func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); ok {
				children <- ctx.Spawn(actor.PropsFromFunc(worker, supervisor.WithGuard(nil, nil)))
			}
		},
		supervisor.WithStrategy(&supervisor.Strategy{
			Budget: supervisor.Budget{Intensity: 3, Period: time.Minute},
			Events: story.hub,
		}),
		supervisor.WithCascade(supervisor.Cascade{}),
	))
	system.Root.Send(<-children, "crash")
	e := <-story.seen
	fmt.Printf("%v with %q in %s: %v\n", e.Kind, e.Failure.Value, e.Failure.Phase, e.Directive)
	e = <-story.seen
	fmt.Printf("%v, %d restarts left\n", e.Kind, e.BudgetLeft)
	system.Root.Poison(parent)
	// Output:
	// failed with "as it was told" in receive: restart
	// restarted, 2 restarts left
}
