package supervisor_test

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// guardians are the strategies of the roots that TestLibraryCrashes lets fail.
var guardians = map[string]func() actor.SupervisorStrategy{
	"the library, escalate": func() actor.SupervisorStrategy {
		return actor.NewOneForOneStrategy(10, time.Minute, always(actor.EscalateDirective))
	},
	"the library, all for one": func() actor.SupervisorStrategy {
		return actor.NewAllForOneStrategy(10, time.Minute, always(actor.RestartDirective))
	},
	"ours, escalate": func() actor.SupervisorStrategy {
		return &supervisor.Strategy{Decide: func(*actor.PID, *supervisor.Failure) supervisor.Directive { return supervisor.Escalate }}
	},
	"ours, all for one": func() actor.SupervisorStrategy {
		return &supervisor.Strategy{Group: supervisor.OneForAll, Budget: supervisor.Budget{Intensity: 10, Period: time.Minute}}
	},
}

// TestLibraryCrashes does nothing unless it runs in a copy of the test binary, which may die of it: there a root under a guardian fails.
func TestLibraryCrashes(t *testing.T) {
	strategy := guardians[os.Getenv(crashVariable)]
	if strategy == nil {
		t.Skip("only in a process of its own")
	}
	system := newSystem()
	pid, err := system.Root.SpawnNamed(failing().Configure(actor.WithGuardian(strategy())), "root")
	if err != nil {
		t.Fatal(err)
	}
	system.Root.Send(pid, failNow{"boom"})
	reply := make(chan int, 1)
	system.Root.Send(pid, ask{reply})
	select {
	case <-reply: // restarted
	case <-watch(system, pid): // stopped
	case <-time.After(patience):
		t.Fatal("it neither goes on nor ends")
	}
	fmt.Println(survivedLine)
}

// "Escalate reaches a guardian": it panics there, on the child's goroutine, where nobody recovers, and so does AllForOne.
func TestLibraryGuardian(t *testing.T) {
	for what, text := range map[string]string{
		"the library, escalate":    "guardian cannot escalate failure",
		"the library, all for one": "guardian does not hold its children PIDs",
		"ours, escalate":           "",
		"ours, all for one":        "",
	} {
		t.Run(what, func(t *testing.T) {
			if crashed := crashes(t, what, text); crashed != (text != "") {
				t.Errorf("it crashed the process: %t", crashed)
			}
		})
	}
}

// "Escalate then Resume heals": the child that failed stays suspended for ever.
func TestLibraryEscalateThenResume(t *testing.T) {
	// three starts a root, below it a middle actor that escalates, and below that a child, which fails.
	three := func(t *testing.T, system *actor.ActorSystem, j *journal, top, middle actor.PropsOption) (root, pid, child *actor.PID) {
		root, children := family(t, system, j, noting(j, middle), []string{"middle"}, top)
		pid, child = children[0], system.NewLocalPID("parent/middle/child")
		system.Root.Send(pid, spawnAct(t, noting(j), "child"))
		synctest.Wait()
		system.Root.Send(child, failNow{"boom"})
		synctest.Wait()
		return root, pid, child
	}
	bubble(t, "the library", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		root, middle, child := three(t, system, j,
			actor.WithSupervisor(actor.NewOneForOneStrategy(10, time.Minute, always(actor.ResumeDirective))),
			actor.WithSupervisor(actor.NewOneForOneStrategy(10, time.Minute, always(actor.EscalateDirective))))
		time.Sleep(time.Hour)
		if n := answers(system, middle); n != 1 {
			t.Errorf("instance %d of the middle answers, want the first, resumed", n)
		}
		if n := answers(system, child); n != 0 || !alive(system, child) {
			t.Errorf("instance %d of the child answers; it lives: %t", n, alive(system, child))
		}
		stopAll(t, system, root)
	})
	bubble(t, "ours", func(t *testing.T, system *actor.ActorSystem, j *journal) {
		decide := func(d supervisor.Directive) actor.PropsOption {
			return supervisor.WithStrategy(&supervisor.Strategy{Decide: func(*actor.PID, *supervisor.Failure) supervisor.Directive { return d }})
		}
		root, middle, child := three(t, system, j, decide(supervisor.Resume), decide(supervisor.Escalate))
		if n := answers(system, middle); n != 1 {
			t.Errorf("instance %d of the middle answers, want the first, resumed", n)
		}
		// It has ended, its parent knows, and may start another one.
		if alive(system, child) || j.count("terminated child") != 1 {
			t.Errorf("the child lives: %t; %q", alive(system, child), j.since(0))
		}
		system.Root.Send(middle, spawnAct(t, noting(j), "child"))
		synctest.Wait()
		if n := answers(system, child); n == 0 {
			t.Error("its successor does not answer")
		}
		stopAll(t, system, root)
	})
}
