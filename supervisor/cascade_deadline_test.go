package supervisor_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// A deadline at the top is enough to learn by path what was left anywhere below, if every level carries a Cascade with the hub.
func TestCascadeDeadlineNamesGrandchildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, hub := newSystem(), supervisor.NewHub()
		events := collect(hub)
		gate := make(chan struct{})
		leaf := func(hang bool) *actor.Props {
			return actor.PropsFromFunc(func(ctx actor.Context) {
				if _, ok := ctx.Message().(work); ok && hang {
					<-gate
				}
			}, supervisor.WithGuard(nil, nil))
		}
		parent := func(c supervisor.Cascade, children map[string]*actor.Props) *actor.Props {
			c.Events = hub
			return actor.PropsFromFunc(func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Started); !ok {
					return
				}
				for _, name := range []string{"a", "b", "c"} {
					if props := children[name]; props != nil {
						if _, err := ctx.SpawnNamed(props, name); err != nil {
							t.Error(err)
						}
					}
				}
			}, supervisor.WithGuard(nil, nil), supervisor.WithCascade(c))
		}
		low := parent(supervisor.Cascade{}, map[string]*actor.Props{"a": leaf(false), "b": leaf(true), "c": leaf(false)})
		mid := parent(supervisor.Cascade{}, map[string]*actor.Props{"a": leaf(false), "b": low})
		top, err := system.Root.SpawnNamed(parent(supervisor.Cascade{Deadline: 10 * time.Second, Grace: time.Second}, map[string]*actor.Props{"a": leaf(false), "b": mid}), "top")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		system.Root.Send(actor.NewPID(top.Address, "top/b/b/b"), work{})
		synctest.Wait()
		system.Root.Poison(top)
		time.Sleep(12 * time.Second)
		if alive(system, top) {
			t.Error("the top does not end")
		}
		close(gate)
		settle()
		var got []string
		for _, e := range events() {
			if e.Kind != supervisor.Drained {
				got = append(got, e.Kind.String()+" "+e.Path)
			}
		}
		// The first of each level has not had its turn; the third of the lowest has drained before the one that hangs.
		want := []string{
			"forced top/b", "forced top/a", "forced top/b/b", "forced top/b/a", "forced top/b/b/b", "forced top/b/b/a",
			"given up top/b",
		}
		slices.Sort(got) // each level tells of its own
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), strings.Join(want, ", "))
		}
	})
}
