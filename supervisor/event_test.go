package supervisor_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// facts is what an event says, the time left out, as one line.
func facts(e supervisor.Event) string {
	cause := "-"
	if e.Failure != nil {
		cause = fmt.Sprint(e.Failure.Value)
	}
	return fmt.Sprintf("%v %s #%d, reason %v, cause %s, directive %v, delay %v, %d left", e.Kind, e.Path, e.Incarnation, e.Reason, cause, e.Directive, e.Delay, e.BudgetLeft)
}

// Every event of a restart says of whom, which incarnation, why, what was decided, how long it was delayed and what is left of the budget; that
// of a child which is restarted with another one, whose failure it was.
func TestEventsSayWhy(t *testing.T) {
	boom := errors.New("boom")
	later := func(*supervisor.Failure) supervisor.Directive { return supervisor.RestartLater }
	for _, c := range []struct {
		name string
		spec supervisor.Spec
		want []string
	}{
		{"by its type", supervisor.Spec{Children: []supervisor.ChildSpec{{Name: "a", Props: failing()}}}, []string{
			"exited top/a #0, reason failed, cause boom, directive none, delay 0s, 3 left",
			"restarting top/a #0, reason failed, cause boom, directive none, delay 0s, 2 left",
			"restarted top/a #1, reason failed, cause boom, directive none, delay 0s, 2 left",
		}},
		{"after a delay", supervisor.Spec{Children: []supervisor.ChildSpec{{
			Name: "a", Props: failing(), Decide: later, Backoff: supervisor.Backoff{Min: 10 * time.Second},
		}}}, []string{
			"exited top/a #0, reason failed, cause boom, directive restart later, delay 0s, 3 left",
			"restart delayed top/a #0, reason failed, cause boom, directive restart later, delay 5s, 2 left",
			"restarting top/a #0, reason failed, cause boom, directive restart later, delay 5s, 2 left",
			"restarted top/a #1, reason failed, cause boom, directive restart later, delay 5s, 2 left",
		}},
		{"with its group", supervisor.Spec{Strategy: supervisor.RestForOne, Children: []supervisor.ChildSpec{
			{Name: "a", Props: failing(), Backoff: supervisor.Backoff{Min: 2 * time.Second}}, {Name: "b", Props: failing()},
		}}, []string{
			"exited top/a #0, reason failed, cause boom, directive none, delay 0s, 3 left",
			"restart delayed top/a #0, reason failed, cause boom, directive none, delay 1s, 2 left",
			"stopped top/b #0, reason shutdown, cause -, directive none, delay 0s, 2 left",
			"restarting top/a #0, reason failed, cause boom, directive none, delay 1s, 2 left",
			"restarted top/a #1, reason failed, cause boom, directive none, delay 1s, 2 left",
			"restarted top/b #1, reason failed, cause boom, directive none, delay 1s, 2 left",
		}},
		{"spent", supervisor.Spec{Budget: supervisor.NoRestarts, Children: []supervisor.ChildSpec{{Name: "a", Props: failing(), Decide: later}}}, []string{
			"exited top/a #0, reason failed, cause boom, directive restart later, delay 0s, 0 left",
			"budget spent top/a #0, reason failed, cause boom, directive restart later, delay 0s, 0 left",
			"ended top #0, reason budget spent, cause boom, directive none, delay 0s, 0 left",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system, hub := newSystem(), supervisor.NewHub()
				c.spec.Name, c.spec.Rand = "top", func() float64 { return 0.5 }
				if c.spec.Budget == (supervisor.Budget{}) {
					c.spec.Budget = supervisor.Budget{Intensity: 3, Period: time.Hour}
				}
				c.spec.Events = hub
				top, err := supervisor.Spawn(system.Root, c.spec)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				events := collect(hub)
				system.Root.Send(actor.NewPID(top.Address, "top/a"), failNow{boom})
				time.Sleep(time.Minute)
				synctest.Wait()
				var got []string
				for _, e := range events() {
					got = append(got, facts(e))
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
				stopAll(t, system, top)
				settle()
			})
		})
	}
}

// A restart that was asked for has no cause.
func TestEventsOfARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, hub := newSystem(), supervisor.NewHub()
		top, err := supervisor.Spawn(system.Root, supervisor.Spec{Name: "top", Events: hub, Children: []supervisor.ChildSpec{
			{Name: "a", Props: failing(), Backoff: supervisor.Backoff{Min: time.Hour}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		system.Root.Send(actor.NewPID(top.Address, "top/a"), failNow{"boom"})
		synctest.Wait()
		request(t, system, top, supervisor.StopChild{Name: "a"})
		synctest.Wait()
		events := collect(hub)
		request(t, system, top, supervisor.RestartChild{Name: "a"})
		synctest.Wait()
		list := events()
		if len(list) != 1 || facts(list[0]) != "restarted top/a #1, reason none, cause -, directive none, delay 0s, 0 left" {
			t.Errorf("%+v", list)
		}
		stopAll(t, system, top)
		settle()
	})
}
