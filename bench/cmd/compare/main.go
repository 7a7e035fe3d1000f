// Command compare runs Understudy and servers that do the same work in turn, checks every reply, and prints how they compare.
// docs/performance.md says how it measures, and what the peers are.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/understudy-go/understudy/bench/internal/report"
	"github.com/understudy-go/understudy/bench/internal/scenario"
)

// leastRounds is how many rounds an interval needs to be worth something.
const leastRounds = 9

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "compare:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(progress)
	options := scenario.Defaults()
	var names string
	var list bool
	var runner scenario.Runner
	flags.StringVar(&names, "scenario", "", "run only these `names`, separated by commas; all if empty")
	flags.BoolVar(&list, "list", false, "list the scenarios and end")
	flags.IntVar(&runner.Rounds, "rounds", leastRounds, "measure each server so `often`; fewer than nine are for trying out")
	flags.DurationVar(&runner.Times.Duration, "d", 2*time.Second, "how `long` a measurement takes")
	flags.DurationVar(&runner.Times.Warmup, "warmup", 500*time.Millisecond, "how `long` there is load before it")
	flags.DurationVar(&runner.Times.Idle, "idle", 5*time.Second, "how `long` idle connections rest")
	flags.IntVar(&options.Connections, "c", options.Connections, "`connections`, where the scenario does not say")
	flags.IntVar(&options.Size, "size", options.Size, "`bytes` of an echo, where the scenario does not say")
	flags.IntVar(&options.Many, "many", options.Many, "`connections`, where there should be many")
	flags.Uint64Var(&options.Seed, "seed", options.Seed, "of contents, order and intervals")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case runner.Rounds < 1 || runner.Times.Duration <= 0 || runner.Times.Warmup < 0 || runner.Times.Idle < 0:
		return fmt.Errorf("-rounds is %d, -d %s, -warmup %s, -idle %s: the first two must be positive, and the others not negative",
			runner.Rounds, runner.Times.Duration, runner.Times.Warmup, runner.Times.Idle)
	case options.Connections < 1 || options.Size < 1 || options.Many < 10:
		return fmt.Errorf("-c is %d, -size %d, -many %d: they must be at least 1, 1 and 10", options.Connections, options.Size, options.Many)
	}
	var chosen []string
	if names != "" {
		chosen = strings.Split(names, ",")
	}
	scenarios, err := scenario.Select(scenario.Catalog(options), chosen)
	if err != nil {
		return err
	}
	if list {
		for _, s := range scenarios {
			fmt.Fprintf(out, "%-16s %s\n", s.Name, s.Title)
		}
		return nil
	}
	return compare(ctx, scenarios, runner, options.Seed, args, out, progress)
}

func compare(ctx context.Context, scenarios []scenario.Scenario, runner scenario.Runner, seed uint64, args []string, out, progress io.Writer) error {
	module, err := moduleDir(ctx)
	if err != nil {
		return err
	}
	runner.Programs, err = os.MkdirTemp("", "understudy-compare-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(runner.Programs) }() // it is in the directory for what may be lost
	runner.Seed = seed
	runner.Progress = func(line string) { fmt.Fprintln(progress, line) }
	built := commit(ctx, module)
	if err := scenario.Build(ctx, module, runner.Programs, scenarios); err != nil {
		return err
	}
	var outcomes []scenario.Outcome
	for _, s := range scenarios {
		o, err := runner.Run(ctx, s)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, o)
	}
	report.Header(out, strings.TrimSpace("go run ./cmd/compare "+strings.Join(args, " ")), built,
		fmt.Sprintf("%d rounds, each measurement %s after %s of load; ratios are of the same round", runner.Rounds, runner.Times.Duration, runner.Times.Warmup))
	fmt.Fprintln(out)
	return report.Write(out, outcomes, seed)
}

// moduleDir is where this program's module is: it builds the others from there.
func moduleDir(ctx context.Context) (string, error) {
	said, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	path, dir, _ := strings.Cut(strings.TrimSpace(string(said)), " ")
	if filepath.Base(path) != "bench" {
		return "", fmt.Errorf("this is module %s: run compare in Understudy's folder bench", path)
	}
	return dir, nil
}

// commit names what was measured; empty if this is no clone.
func commit(ctx context.Context, dir string) string {
	cmd := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty")
	cmd.Dir = dir
	text, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
