package supervisor_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// The tests in library_*_test.go show, one row after the other, where Proto.Actor's own supervision does not do what its names say, and what
// this package does instead: "the library" asserts the misbehavior as it is in the version that go.mod names, so that a version that
// behaves otherwise is noticed, and "ours" the same situation with this package.

// journal is what actors note, in the order of noting.
type journal struct {
	mu    sync.Mutex
	start time.Time
	lines []string
	times []time.Duration
}

func newJournal() *journal { return &journal{start: time.Now()} }

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
	j.times = append(j.times, time.Since(j.start))
}

// count is how many lines begin with prefix.
func (j *journal) count(prefix string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// since is what was noted from the n-th line on.
func (j *journal) since(n int) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines[n:])
}

// bubble runs the two halves of a row under fake time.
func bubble(t *testing.T, name string, test func(t *testing.T, system *actor.ActorSystem, j *journal)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(t, newSystem(), newJournal())
			settle()
		})
	})
}

// noting is an actor that notes its life in j, by the last part of its name and its instance, and handles what the tests send.
func noting(j *journal, opts ...actor.PropsOption) *actor.Props {
	var mu sync.Mutex
	instances := make(map[string]int) // by name: the props are shared by children
	return actor.PropsFromProducer(func() actor.Actor {
		var name string
		var number int
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if name == "" {
				name = ctx.Self().Id[strings.LastIndex(ctx.Self().Id, "/")+1:]
				mu.Lock()
				instances[name]++
				number = instances[name]
				mu.Unlock()
			}
			switch m := ctx.Message().(type) {
			case *actor.Started:
				j.note("started %s %d", name, number)
			case *actor.Restarting:
				j.note("restarting %s %d", name, number)
			case *actor.Stopped:
				j.note("stopped %s %d", name, number)
			case *actor.Terminated:
				j.note("terminated %s", m.Who.Id[strings.LastIndex(m.Who.Id, "/")+1:])
			case failNow:
				panic(m.value)
			case ask:
				m.reply <- number
			case act:
				m(ctx)
			case time.Duration:
				time.Sleep(m)
				j.note("slept %s", name)
			}
		})
	}, opts...)
}

// family starts a root actor "parent", made with opts, and below it a child of the given props for each name.
func family(t *testing.T, system *actor.ActorSystem, j *journal, child *actor.Props, names []string, opts ...actor.PropsOption) (parent *actor.PID, children []*actor.PID) {
	t.Helper()
	parent, err := system.Root.SpawnNamed(noting(j, opts...), "parent")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		system.Root.Send(parent, spawnAct(t, child, name))
		children = append(children, system.NewLocalPID("parent/"+name))
	}
	synctest.Wait()
	return parent, children
}

func spawnAct(t *testing.T, props *actor.Props, name string) act {
	return func(ctx actor.Context) {
		if _, err := ctx.SpawnNamed(props, name); err != nil {
			t.Error(err)
		}
	}
}

// answers says which instance of the actor answers, 0 if none does.
func answers(system *actor.ActorSystem, pid *actor.PID) int {
	reply := make(chan int, 1)
	system.Root.Send(pid, ask{reply})
	synctest.Wait()
	select {
	case n := <-reply:
		return n
	default:
		return 0
	}
}

func alive(system *actor.ActorSystem, pid *actor.PID) bool {
	_, ok := system.ProcessRegistry.Get(pid)
	return ok
}

func always(d actor.Directive) actor.DeciderFunc { return func(any) actor.Directive { return d } }

// stopAll stops what a test has left, and waits until everybody has heard of it.
func stopAll(t *testing.T, system *actor.ActorSystem, pids ...*actor.PID) {
	t.Helper()
	if err := supervisor.StopAndAwait(t.Context(), system, pids...); err != nil {
		t.Error(err)
	}
	synctest.Wait()
}

// crashVariable names, in the environment of a copy of this test binary, what TestLibraryCrashes is to do there.
const crashVariable = "UNDERSTUDY_TEST_CRASH"

// crashes runs this test binary once more and says whether it died of a panic with that text.
func crashes(t *testing.T, what, text string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLibraryCrashes$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), crashVariable+"="+what)
	out, err := cmd.CombinedOutput()
	if err == nil && strings.Contains(string(out), survivedLine) {
		return false
	}
	if !strings.Contains(string(out), "panic: "+text) {
		t.Errorf("%s: %v\n%s", what, err, out)
	}
	return true
}

// survivedLine is printed by a copy that has lived to its end.
const survivedLine = "survived"
