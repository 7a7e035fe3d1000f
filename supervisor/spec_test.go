package supervisor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

func idle() *actor.Props { return actor.PropsFromFunc(func(actor.Context) {}) }

func TestValidate(t *testing.T) {
	ok := supervisor.ChildSpec{Name: "a", Props: idle()}
	with := func(change func(c *supervisor.ChildSpec)) []supervisor.ChildSpec {
		c := ok
		change(&c)
		return []supervisor.ChildSpec{c}
	}
	itself := &supervisor.Spec{}
	itself.Children = []supervisor.ChildSpec{{Name: "again", Supervisor: itself}}
	for _, c := range []struct {
		name string
		spec supervisor.Spec
		want []string // "supervisor child field", in order
	}{
		{"the zero value", supervisor.Spec{}, nil},
		{"a good one", supervisor.Spec{Children: []supervisor.ChildSpec{ok}}, nil},
		{"a slash", supervisor.Spec{Name: "a/b"}, []string{"a/b  Name"}},
		{"no name", supervisor.Spec{Children: with(func(c *supervisor.ChildSpec) { c.Name = "" })}, []string{" #0 Name"}},
		{"a child's slash", supervisor.Spec{Children: with(func(c *supervisor.ChildSpec) { c.Name = "x/y" })}, []string{" x/y Name"}},
		{"the same name twice", supervisor.Spec{Children: []supervisor.ChildSpec{ok, ok}}, []string{" a Name"}},
		{"no props", supervisor.Spec{Children: with(func(c *supervisor.ChildSpec) { c.Props = nil })}, []string{" a Props"}},
		{"both", supervisor.Spec{Children: with(func(c *supervisor.ChildSpec) { c.Supervisor = &supervisor.Spec{} })}, []string{" a Supervisor"}},
		{"a mailbox in props", supervisor.Spec{Children: with(func(c *supervisor.ChildSpec) {
			c.Props = idle().Configure(actor.WithMailbox(actor.UnboundedLockfree()))
		})}, []string{" a Props"}},
		{"a spawner in props", supervisor.Spec{Children: with(func(c *supervisor.ChildSpec) {
			c.Props = idle().Configure(actor.WithSpawnFunc(actor.DefaultSpawner))
		})}, []string{" a Props"}},
		{"a supervisor's props", supervisor.Spec{Children: with(func(c *supervisor.ChildSpec) { c.Props = supervisor.Spec{}.Props() })}, nil},
		{"a supervisor's mailbox", supervisor.Spec{Children: with(func(c *supervisor.ChildSpec) {
			c.Props, c.Mailbox = supervisor.Spec{}.Props(), actor.Unbounded()
		})}, []string{" a Mailbox"}},
		{"unknown values", supervisor.Spec{
			Strategy: 9, AutoShutdown: -1,
			Children: with(func(c *supervisor.ChildSpec) { c.Restart, c.Shutdown = 7, -2 }),
		}, []string{"  Strategy", "  AutoShutdown", " a Restart", " a Shutdown"}},
		{"significant under never", supervisor.Spec{Children: with(func(c *supervisor.ChildSpec) {
			c.Restart, c.Significant = supervisor.RestartTransient, true
		})}, []string{" a Significant"}},
		{"significant and permanent", supervisor.Spec{
			AutoShutdown: supervisor.AnySignificant, Children: with(func(c *supervisor.ChildSpec) { c.Significant = true }),
		}, []string{" a Significant"}},
		{"dynamic with children", supervisor.Spec{Strategy: supervisor.Dynamic, Children: []supervisor.ChildSpec{ok}}, []string{"  Children"}},
		{"a wrong template", supervisor.Spec{
			Strategy: supervisor.Dynamic, Template: supervisor.ChildSpec{Restart: 3},
		}, []string{" template Restart"}},
		{"nested", supervisor.Spec{Name: "top", Children: []supervisor.ChildSpec{{Name: "sub", Supervisor: &supervisor.Spec{
			Children: []supervisor.ChildSpec{{Name: "x"}},
		}}}}, []string{"top/sub x Props"}},
		{"itself", *itself, []string{"again again Supervisor"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.spec.Validate()
			if len(c.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			joined, ok := err.(interface{ Unwrap() []error })
			if !ok {
				t.Fatalf("%v is not joined", err)
			}
			var got []string
			for _, e := range joined.Unwrap() {
				se, ok := errors.AsType[*supervisor.SpecError](e)
				if !ok {
					t.Fatalf("%T", e)
				}
				got = append(got, se.Supervisor+" "+se.Child+" "+se.Field)
				if !strings.Contains(e.Error(), se.Field) || se.Problem == "" {
					t.Error(e)
				}
			}
			if strings.Join(got, ",") != strings.Join(c.want, ",") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPropsOfAWrongSpecPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it does not")
		}
	}()
	supervisor.Spec{Strategy: 9}.Props()
}

func TestSpawnRefusesAWrongSpec(t *testing.T) {
	if pid, err := supervisor.Spawn(newSystem().Root, supervisor.Spec{Strategy: 9}); pid != nil || err == nil {
		t.Error(pid, err)
	}
}

// ask sends a request to a supervisor and waits for its answer.
func request(t *testing.T, system *actor.ActorSystem, pid *actor.PID, message any) any {
	t.Helper()
	answer, err := system.Root.RequestFuture(pid, message, patience).Result()
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestAwaitStart(t *testing.T) {
	system := newSystem()
	gate := make(chan struct{})
	slow := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			<-gate
		}
	})
	pid, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "await", Children: []supervisor.ChildSpec{{Name: "slow", Props: slow}}})
	if err != nil {
		t.Fatal(err)
	}
	waiting := system.Root.RequestFuture(pid, supervisor.AwaitStart{}, patience)
	if n := request(t, system, pid, supervisor.CountChildren{}); n != (supervisor.Counts{Specs: 1, Active: 1, Workers: 1}) {
		t.Errorf("%+v", n)
	}
	close(gate)
	for _, answer := range []any{must(waiting.Result()), request(t, system, pid, supervisor.AwaitStart{})} {
		if reply := answer.(supervisor.ChildReply); reply.Err != nil || !reply.PID.Equal(pid) {
			t.Errorf("%+v", reply)
		}
	}
	list := request(t, system, pid, supervisor.GetChildren{}).(supervisor.Children).List
	if len(list) != 1 || list[0].State != supervisor.ChildRunning || list[0].PID.Id != "await/slow" {
		t.Errorf("%+v", list)
	}
	end(t, system, pid)
}

func must(v any, err error) any {
	if err != nil {
		return err
	}
	return v
}

func TestAwaitStartThatFails(t *testing.T) {
	system := newSystem()
	boom := errors.New("boom")
	gate := make(chan struct{})
	bad := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			<-gate
			panic(boom)
		}
	})
	pid, _ := supervisor.Spawn(system.Root, supervisor.Spec{Children: []supervisor.ChildSpec{{Name: "ok", Props: idle()}, {Name: "bad", Props: bad}}})
	waiting := system.Root.RequestFuture(pid, supervisor.AwaitStart{}, patience)
	request(t, system, pid, supervisor.CountChildren{}) // by now the other request has been taken
	seen := watch(system, pid)
	close(gate)
	reply := must(waiting.Result()).(supervisor.ChildReply)
	start, ok := errors.AsType[*supervisor.StartError](reply.Err)
	if !ok || start.Child != "bad" || !errors.Is(reply.Err, boom) {
		t.Errorf("%v", reply.Err)
	}
	receive(t, seen, "its end")
}

func TestSpecDefaults(t *testing.T) {
	if supervisor.DefaultShutdown != 5*time.Second || supervisor.DefaultBudget != (supervisor.Budget{Intensity: 1, Period: 5 * time.Second}) {
		t.Error("not OTP's")
	}
}
