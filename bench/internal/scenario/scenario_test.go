package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/understudy-go/understudy/bench/internal/measure"
	"github.com/understudy-go/understudy/bench/internal/process"
	"github.com/understudy-go/understudy/bench/internal/scenario"
	"github.com/understudy-go/understudy/bench/internal/stats"
	"go.uber.org/goleak"
)

// TestMain is also the server that the tests start.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		fmt.Println("listening on tcp://127.0.0.1:1")
		<-signals
		os.Exit(0)
	}
	// The race detector lets a program that ends wait for a second; a server is one here.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// recorder is a load that notes who was measured, and makes up figures.
type recorder struct {
	name    string
	rate    float64
	said    *[]string
	failure error
}

func (r recorder) Run(_ context.Context, s *process.Server, _ measure.Times) (measure.Figures, error) {
	if _, err := s.CPU(); err != nil {
		return measure.Figures{}, err
	}
	*r.said = append(*r.said, r.name)
	// What the machine does strikes whole rounds: here, each round of three is slower than the one before.
	round := float64(1 + (len(*r.said)-1)/3)
	return measure.Figures{Rate: r.rate / round, CPU: 1000}, r.failure
}

func runner(t *testing.T, rounds int) scenario.Runner {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(os.Args[0], filepath.Join(dir, "server")); err != nil {
		t.Fatal(err)
	}
	return scenario.Runner{Programs: dir, Rounds: rounds, Seed: 1}
}

func three(said *[]string) scenario.Scenario {
	s := scenario.Scenario{Name: "three"}
	server := scenario.Server{Program: scenario.Program{Name: "server"}, Args: []string{"serve"}}
	for i, name := range []string{"a", "b", "c"} {
		s.Subjects = append(s.Subjects, scenario.Subject{Name: name, Server: server, Load: recorder{name: name, rate: float64(100 * (i + 1)), said: said}})
	}
	return s
}

func TestRoundsAreInterleaved(t *testing.T) {
	var said []string
	const rounds = 8
	o, err := runner(t, rounds).Run(t.Context(), three(&said))
	if err != nil {
		t.Fatal(err)
	}
	orders := map[string]bool{}
	for round := range slices.Chunk(said, 3) {
		orders[strings.Join(round, "")] = true
		if slices.Sort(round); !slices.Equal(round, []string{"a", "b", "c"}) {
			t.Errorf("a round measures %v", round)
		}
	}
	if len(said) != 3*rounds || len(orders) < 2 {
		t.Errorf("%d measurements, in these orders: %v", len(said), orders)
	}
	// Though every round is slower than the one before, the ratio is the same in each.
	if e := o.Estimate(scenario.Comparison{Metric: scenario.Throughput, Subject: "c", Against: "a"}, 1); e != (stats.Estimate{Median: 3, Low: 3, High: 3}) {
		t.Errorf("the estimate is %+v", e)
	}
}

func TestFailureEndsTheRun(t *testing.T) {
	var said []string
	s := three(&said)
	cause := errors.New("a reply was wrong")
	s.Subjects[1].Load = recorder{name: "b", said: &said, failure: cause}
	_, err := runner(t, 3).Run(t.Context(), s)
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "three, round 1, b") {
		t.Errorf("the error is %v", err)
	}
}

func TestPrepareChangesTheScenario(t *testing.T) {
	var said []string
	s := three(&said)
	s.Prepare = func(ctx context.Context, s *scenario.Scenario, run scenario.Measure) error {
		f, err := run(ctx, s.Subjects[0])
		s.Title = fmt.Sprint(f.Rate)
		s.Subjects = s.Subjects[1:]
		return err
	}
	o, err := runner(t, 1).Run(t.Context(), s)
	if err != nil || o.Scenario.Title != "100" || len(said) != 3 || said[0] != "a" || len(o.Rounds["a"]) != 0 {
		t.Errorf("%q is measured, the title is %q (%v)", said, o.Scenario.Title, err)
	}
}

func TestCatalog(t *testing.T) {
	all := scenario.Catalog(scenario.Defaults())
	names := map[string]bool{}
	for _, s := range all {
		if names[s.Name] {
			t.Errorf("two scenarios are called %s", s.Name)
		}
		names[s.Name] = true
		subjects := map[string]bool{"": true}
		for _, subject := range s.Subjects {
			if subjects[subject.Name] {
				t.Errorf("%s: two subjects are called %q", s.Name, subject.Name)
			}
			subjects[subject.Name] = true
		}
		goals := 0
		for _, c := range s.Compared {
			if c.Subject == "" || !subjects[c.Subject] || !subjects[c.Against] {
				t.Errorf("%s compares %q with %q", s.Name, c.Subject, c.Against)
			}
			if c.Goal.IsSet() {
				goals++
			}
		}
		if goals == 0 {
			t.Errorf("%s has no goal", s.Name)
		}
	}
	chosen, err := scenario.Select(all, []string{"idle", "depth1"})
	if err != nil || len(chosen) != 2 || chosen[0].Name != "depth1" || chosen[1].Name != "idle" {
		t.Errorf("chosen are %v (%v)", chosen, err)
	}
	if _, err := scenario.Select(all, []string{"depth1", "depth2"}); err == nil || !strings.Contains(err.Error(), `"depth2"`) || !strings.Contains(err.Error(), "panics") {
		t.Errorf("the error is %v, and should say what there is", err)
	}
	if chosen, err := scenario.Select(all, nil); err != nil || len(chosen) != len(all) {
		t.Errorf("without names %d are chosen of %d (%v)", len(chosen), len(all), err)
	}
}
