package supervisor_test

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// A restart keeps the PID, the mailbox and the watchers.
func TestRestartKeepsTheMailbox(t *testing.T) {
	system := newSystem()
	pid, err := supervisor.Spawn(system.Root, supervisor.Spec{
		Budget:   supervisor.Budget{Intensity: -1},
		Children: []supervisor.ChildSpec{{Name: "worker", Props: failing()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	child := request(t, system, pid, supervisor.GetChildren{}).(supervisor.Children).List[0].PID
	seen := watch(system, child)
	reply := make(chan int, 100)
	for range 10 {
		system.Root.Send(child, failNow{"boom"})
		system.Root.Send(child, ask{reply})
	}
	for i := range 10 {
		if n := receive(t, reply, "an answer"); n != i+2 {
			t.Errorf("instance %d answered, want %d", n, i+2)
		}
	}
	nothing(t, seen, "a watcher's Terminated")
	end(t, system, pid)
	receive(t, seen, "the child's end")
}

// Goexit and a mailbox of one's own under each kind of guard.
func TestWaysToFail(t *testing.T) {
	guarded := func() *actor.Props {
		return actor.PropsFromProducer(func() actor.Actor { return supervisor.Guard(actor.ReceiveFunc(failer), nil) })
	}
	for _, c := range []struct {
		name  string
		child supervisor.ChildSpec
	}{
		{"plain", supervisor.ChildSpec{Props: actor.PropsFromFunc(failer)}},
		{"guarded outside", supervisor.ChildSpec{Props: actor.PropsFromFunc(failer, supervisor.WithGuard(nil, nil))}},
		{"guarded inside", supervisor.ChildSpec{Props: guarded(), Guarded: true}},
		{"guarded inside, unsaid", supervisor.ChildSpec{Props: guarded()}},
		{"a mailbox", supervisor.ChildSpec{Props: actor.PropsFromFunc(failer), Mailbox: actor.UnboundedLockfree()}},
	} {
		for _, how := range []string{"panic", "goexit", "stopping panic", "stopping goexit", "stopped panic", "stopping hang", "stopped hang", "receive hang"} {
			t.Run(c.name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { failAndSucceed(t, c.child, how) })
			})
		}
	}
}

type failAs struct {
	how  string
	gate chan struct{}
}

// failer does what failAs says, now or at its end.
func failer(ctx actor.Context) {
	when, what := "", ""
	switch ctx.Message().(type) {
	case *actor.Stopping:
		when = "stopping "
	case *actor.Stopped:
		when = "stopped "
	case failAs:
		when = "receive "
	default:
		return
	}
	if m, ok := ctx.Message().(failAs); ok {
		switch m.how {
		case "panic", "goexit":
			what = m.how
		case "receive hang":
			<-m.gate
		default:
			plans.Store(ctx.Self().Id, m)
		}
	} else if m, ok := plans.LoadAndDelete(ctx.Self().Id); ok {
		plan := m.(failAs)
		if len(plan.how) > len(when) && plan.how[:len(when)] == when {
			what = plan.how[len(when):]
		} else {
			plans.Store(ctx.Self().Id, plan)
		}
		if what == "hang" {
			<-plan.gate
		}
	}
	switch what {
	case "panic":
		panic("boom")
	case "goexit":
		runtime.Goexit()
	}
}

var plans sync.Map

// failAndSucceed fails one child, stops it, starts a successor, and sees to it that what is left of the first does not disturb it.
func failAndSucceed(t *testing.T, child supervisor.ChildSpec, how string) {
	system, hub := newSystem(), supervisor.NewHub()
	events := collect(hub)
	child.Name = "child"
	child.Shutdown = time.Second
	pid, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "top", Events: hub, Children: []supervisor.ChildSpec{child}})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	gate := make(chan struct{})
	self := actor.NewPID(system.Address(), "top/child")
	seen := watch(system, self)
	system.Root.Send(self, failAs{how, gate})
	synctest.Wait()
	if reply := request(t, system, pid, supervisor.StopChild{Name: "child"}).(supervisor.ChildReply); reply.Err != nil {
		t.Fatal(reply.Err)
	}
	synctest.Wait()
	if len(seen) != 1 {
		t.Errorf("the watcher heard %d times of the end", len(seen))
	}
	if reply := request(t, system, pid, supervisor.RestartChild{Name: "child"}).(supervisor.ChildReply); reply.Err != nil {
		t.Fatal(reply.Err)
	}
	before, _ := system.ProcessRegistry.Get(self)
	close(gate)
	synctest.Wait()
	if after, ok := system.ProcessRegistry.Get(self); !ok || after != before {
		t.Error("the late end of the first has disturbed its successor")
	}
	list := request(t, system, pid, supervisor.GetChildren{}).(supervisor.Children).List
	if list[0].State != supervisor.ChildRunning {
		t.Errorf("%+v", list[0])
	}
	system.Root.Stop(pid)
	synctest.Wait()
	if _, alive := system.ProcessRegistry.Get(pid); alive {
		t.Error("the supervisor does not end")
	}
	settle()
	var got []supervisor.Kind
	for _, e := range events() {
		got = append(got, e.Kind)
	}
	want := []supervisor.Kind{supervisor.Started, supervisor.Stopped, supervisor.Restarted, supervisor.Stopped, supervisor.Ended}
	switch how {
	case "panic", "goexit":
		want = slices.Insert(want, 1, supervisor.Exited, supervisor.Restarting, supervisor.Restarted)
	case "stopping hang", "stopped hang", "receive hang":
		want[1] = supervisor.Killed
	}
	if !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

// A child that is killed at the very moment it ends must not take its successor's name along.
func TestKillRaces(t *testing.T) {
	system := newSystem()
	pid, err := supervisor.Spawn(system.Root, supervisor.Spec{Budget: supervisor.Budget{Intensity: -1}, Children: []supervisor.ChildSpec{{
		Name: "child", Shutdown: time.Nanosecond, Props: actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Stopping); ok {
				runtime.Gosched()
			}
		}),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	child := request(t, system, pid, supervisor.GetChildren{}).(supervisor.Children).List[0].PID
	for range 2000 {
		request(t, system, pid, supervisor.StopChild{Name: "child"})
		reply := request(t, system, pid, supervisor.RestartChild{Name: "child"}).(supervisor.ChildReply)
		if reply.Err != nil {
			t.Fatal(reply.Err)
		}
		if _, alive := system.ProcessRegistry.Get(child); !alive {
			t.Fatal("the successor has lost its name")
		}
	}
	end(t, system, pid)
}

func TestGuardedThatIsNot(t *testing.T) {
	system := newSystem()
	pid, _ := supervisor.Spawn(system.Root, supervisor.Spec{})
	reply := request(t, system, pid, supervisor.StartChild{Child: supervisor.ChildSpec{Name: "liar", Props: idle(), Guarded: true}}).(supervisor.ChildReply)
	if reply.Err == nil {
		t.Error("it was started")
	}
	end(t, system, pid)
}

// A producer that panics, and a name that somebody else has, are failed starts.
func TestChildThatCannotBeSpawned(t *testing.T) {
	system := newSystem()
	pid, _ := supervisor.Spawn(system.Root, supervisor.Spec{Name: "sup"})
	squatter, err := system.Root.SpawnNamed(idle(), "sup/taken")
	if err != nil {
		t.Fatal(err)
	}
	bad := actor.PropsFromProducer(func() actor.Actor { panic("no") })
	for name, props := range map[string]*actor.Props{"bad": bad, "taken": idle()} {
		reply := request(t, system, pid, supervisor.StartChild{Child: supervisor.ChildSpec{Name: name, Props: props}}).(supervisor.ChildReply)
		child, ok := errors.AsType[*supervisor.ChildError](reply.Err)
		if !ok || child.Child != name || child.Op != "start" {
			t.Errorf("%v", reply.Err)
		}
		if name == "taken" && !errors.Is(reply.Err, actor.ErrNameExists) {
			t.Errorf("%v", reply.Err)
		}
	}
	reply := request(t, system, pid, supervisor.StartChild{Child: supervisor.ChildSpec{Name: "x"}}).(supervisor.ChildReply)
	if _, ok := errors.AsType[*supervisor.SpecError](reply.Err); !ok {
		t.Errorf("%v", reply.Err)
	}
	end(t, system, squatter)
	end(t, system, pid)
}

// Under a parent of another kind, a spent budget is a failure, and whatever its strategy says leaves nobody suspended.
func TestUnderAPlainParent(t *testing.T) {
	for _, c := range []struct {
		directive supervisor.Directive
		lives     bool
	}{{supervisor.Restart, true}, {supervisor.Resume, false}, {supervisor.Stop, false}, {supervisor.Escalate, false}} {
		t.Run(c.directive.String(), func(t *testing.T) {
			system := newSystem()
			failures := make(chan *supervisor.Failure, 10)
			strategy := &supervisor.Strategy{Budget: supervisor.Budget{Intensity: 9}, Decide: func(_ *actor.PID, f *supervisor.Failure) supervisor.Directive {
				failures <- f
				return c.directive
			}}
			sup := supervisor.Spec{Budget: supervisor.NoRestarts, Children: []supervisor.ChildSpec{{Name: "worker", Props: failing()}}}.Props()
			pids, terminated := make(chan []*actor.PID, 1), make(chan string, 1)
			root := system.Root.Spawn(parentOf(pids, terminated, []actor.PropsOption{supervisor.WithStrategy(strategy)}, sup))
			pid := receive(t, pids, "the supervisor")[0]
			request(t, system, pid, supervisor.AwaitStart{})
			system.Root.Send(actor.NewPID(pid.Address, pid.Id+"/worker"), failNow{"boom"})
			f := receive(t, failures, "the failure")
			if !errors.Is(f, supervisor.ErrBudgetSpent) {
				t.Errorf("%v", f)
			}
			if c.lives {
				reply := request(t, system, pid, supervisor.AwaitStart{}).(supervisor.ChildReply)
				if reply.Err != nil {
					t.Error(reply.Err)
				}
				end(t, system, root)
				return
			}
			receive(t, terminated, "the supervisor's end")
			if c.directive != supervisor.Escalate { // at the root, which ends then
				end(t, system, root)
			}
		})
	}
}

// A plain parent that restarts the supervisor for reasons of its own: the children stop in order and start again.
func TestRestartFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, hub := newSystem(), supervisor.NewHub()
		events := collect(hub)
		pid, _ := supervisor.Spawn(system.Root, supervisor.Spec{Name: "sup", Events: hub, Children: []supervisor.ChildSpec{
			{Name: "a", Props: idle()}, {Name: "b", Props: idle()},
		}})
		synctest.Wait()
		process, _ := system.ProcessRegistry.Get(pid)
		process.SendSystemMessage(pid, &actor.Restart{})
		synctest.Wait()
		system.Root.Stop(pid)
		settle()
		var got []string
		for _, e := range events() {
			got = append(got, e.Kind.String()+" "+e.Path)
		}
		once := []string{"started sup/a", "started sup/b", "stopped sup/b", "stopped sup/a", "ended sup"}
		if want := append(slices.Clone(once), once...); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// The children of an abandoned child are stopped.
func TestKilledChildsChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		gate := make(chan struct{})
		var stopped atomic.Bool
		below := actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Stopped); ok {
				stopped.Store(true)
			}
		})
		pid, _ := supervisor.Spawn(system.Root, supervisor.Spec{Name: "top", Children: []supervisor.ChildSpec{{
			Name: "child", Shutdown: supervisor.Brutal, Props: actor.PropsFromFunc(func(ctx actor.Context) {
				switch ctx.Message().(type) {
				case *actor.Started:
					ctx.Spawn(below)
				case work:
					<-gate
				}
			}),
		}}})
		synctest.Wait()
		system.Root.Send(actor.NewPID(system.Address(), "top/child"), work{})
		synctest.Wait()
		system.Root.Stop(pid)
		synctest.Wait()
		if !stopped.Load() {
			t.Error("the grandchild runs on")
		}
		close(gate)
		settle()
	})
}
