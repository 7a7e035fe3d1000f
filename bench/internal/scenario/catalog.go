package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/understudy-go/understudy/bench/internal/measure"
)

// Options are what all scenarios have in common. They are for trying out: the goals are for the defaults.
type Options struct {
	Connections int // where a scenario is not about their number
	Size        int // of an echo's content, where a scenario is not about that
	Many        int // connections where there should be many; the scenario connections has a tenth, too
	Seed        uint64
}

// Defaults are what the goals are for.
func Defaults() Options { return Options{Connections: 64, Size: 32, Many: 10_000, Seed: 1} }

// Catalog returns all scenarios, the most important ones first.
func Catalog(o Options) []Scenario {
	return []Scenario{
		depth(o, 1, 1.0, 1.0, compare(Throughput, "grpc unary", atLeast(3))),
		depth(o, 16, 1.7, 0.45, compare(Throughput, "grpc streaming", atLeast(6))),
		depth(o, 128, 5, 0.15, compare(Throughput, "copy", atLeast(0.6)), compare(Throughput, "grpc streaming", atLeast(25))),
		panics(o),
		idle(o),
		connections(o, "connections1000", o.Many/10),
		connections(o, "connections10000", o.Many),
		connect(o),
		size(o, "16KiB", 16<<10, 16, compare(Throughput, "plain", atLeast(1.2))),
		size(o, "1MiB", 1<<20, 1, compare(Throughput, "plain", atLeast(1)), compare(CPU, "plain", atMost(0.7))),
		deaf(o),
		open(o),
		seams(o),
		owningHandlers(o, 16),
		owningHandlers(o, 128),
	}
}

// Select returns the scenarios with the given names, in the order of the catalog; without names, all.
func Select(all []Scenario, names []string) ([]Scenario, error) {
	var chosen []Scenario
	left := slices.Clone(names)
	for _, s := range all {
		if len(names) == 0 || slices.Contains(names, s.Name) {
			chosen = append(chosen, s)
		}
		left = slices.DeleteFunc(left, func(name string) bool { return name == s.Name })
	}
	if len(left) > 0 {
		var known []string
		for _, s := range all {
			known = append(known, s.Name)
		}
		return nil, fmt.Errorf("there is no scenario %q; there are %s", left[0], strings.Join(known, ", "))
	}
	return chosen, nil
}

// compare compares Understudy with a peer.
func compare(m Metric, against string, g Goal) Comparison {
	return Comparison{Metric: m, Subject: "understudy", Against: against, Goal: g}
}

// serve is the server as it is shipped: guard, deadlines, counters.
func serve(args ...string) Server {
	return Server{understudy, append([]string{"serve", "--listen", "tcp://127.0.0.1:0"}, args...)}
}

// both are Understudy and plain Go under one load.
func both(l measure.Load) []Subject {
	return []Subject{{"understudy", serve(), l}, {"plain", Server{Program: plain}, l}}
}

func depth(o Options, n int, throughput, cpu float64, more ...Comparison) Scenario {
	l := measure.Loop{Connections: o.Connections, Depth: n, Size: o.Size, Seed: o.Seed}
	rpc := measure.GRPC{Connections: o.Connections, Depth: n, Size: max(o.Size, 16)}
	stream := rpc
	stream.Streaming = true
	return Scenario{
		Name:  fmt.Sprintf("depth%d", n),
		Title: fmt.Sprintf("%d connections, %d in flight on each, %d-byte echoes", o.Connections, n, o.Size),
		Subjects: append(both(l),
			Subject{"codec", Server{Program: codec}, l},
			Subject{"copy", Server{Program: bytecopy}, l},
			Subject{"grpc unary", Server{Program: grpc}, rpc},
			Subject{"grpc streaming", Server{Program: grpc}, stream}),
		Compared: slices.Concat([]Comparison{
			compare(Throughput, "plain", atLeast(throughput)),
			compare(CPU, "plain", atMost(cpu)),
			compare(Throughput, "codec", atLeast(0.9)),
			compare(CPU, "codec", Goal{}),
			compare(CPU, "copy", Goal{}),
		}, more),
	}
}

func panics(o Options) Scenario {
	l := measure.Loop{Connections: o.Connections, Depth: 16, Size: o.Size, Seed: o.Seed}
	failing := l
	failing.Failing = true
	return Scenario{
		Name:  "panics",
		Title: fmt.Sprintf("%d connections, 16 in flight on each, and the handlers of 1%% of the requests panic", o.Connections),
		Subjects: []Subject{
			{"understudy", serve(), l},
			{"with panics", serve("--allow-faults", "--fault", "panic worker/* p=0.01 seed=7"), failing},
		},
		Compared: []Comparison{
			{Throughput, "with panics", "understudy", atLeast(0.85)},
			{CPU, "with panics", "understudy", Goal{}},
		},
	}
}

func idle(o Options) Scenario {
	return Scenario{
		Name:     "idle",
		Title:    fmt.Sprintf("%d connections at rest after a burst of 16 echoes on each", o.Many),
		Subjects: both(measure.Idle{Connections: o.Many, Depth: 16, Size: o.Size, Seed: o.Seed}),
		Compared: []Comparison{
			{Memory, "understudy", "", atMost(6 << 10)},
			compare(Memory, "plain", Goal{}),
		},
	}
}

func connections(o Options, name string, n int) Scenario {
	return Scenario{
		Name:     name,
		Title:    fmt.Sprintf("%d connections, 1 in flight on each, %d-byte echoes", n, o.Size),
		Subjects: both(measure.Loop{Connections: n, Depth: 1, Size: o.Size, Seed: o.Seed}),
		Compared: []Comparison{compare(Throughput, "plain", atLeast(1)), compare(CPU, "plain", Goal{})},
	}
}

func connect(o Options) Scenario {
	return Scenario{
		Name:     "connect",
		Title:    fmt.Sprintf("%d clients that connect, send one echo, close, and begin anew", o.Connections),
		Subjects: both(measure.Loop{Connections: o.Connections, Depth: 1, Each: 1, Size: o.Size, Seed: o.Seed}),
		Compared: []Comparison{compare(Throughput, "plain", atLeast(0.9)), compare(CPU, "plain", Goal{})},
	}
}

func size(o Options, name string, bytes, depth int, compared ...Comparison) Scenario {
	return Scenario{
		Name:     name,
		Title:    fmt.Sprintf("%d connections, %d in flight on each, echoes of %s", o.Connections, depth, name),
		Subjects: both(measure.Loop{Connections: o.Connections, Depth: depth, Size: bytes, Seed: o.Seed}),
		Compared: compared,
	}
}

func deaf(o Options) Scenario {
	l := measure.Loop{Connections: max(o.Connections-1, 1), Depth: 16, Size: o.Size, Seed: o.Seed}
	return Scenario{
		Name:  "deaf",
		Title: fmt.Sprintf("%d connections, 16 in flight on each, beside one that sends and does not read", l.Connections),
		Subjects: []Subject{
			{"without it", serve(), l},
			{"understudy", serve(), measure.Deaf{Loop: l}},
		},
		Compared: []Comparison{compare(Throughput, "without it", atLeast(0.97))},
	}
}

func open(o Options) Scenario {
	closed := measure.Loop{Connections: o.Connections, Depth: 1, Size: o.Size, Seed: o.Seed}
	return Scenario{
		Name:     "open",
		Title:    "open loop",
		Subjects: both(closed),
		Compared: []Comparison{compare(P99, "plain", atMost(1.15)), compare(P999, "plain", atMost(1.5)), compare(CPU, "plain", Goal{})},
		// The rate is half of what the slower one reaches in a closed loop, and the same for both.
		Prepare: func(ctx context.Context, s *Scenario, run Measure) error {
			slower := 0.0
			for _, subject := range s.Subjects {
				f, err := run(ctx, subject)
				if err != nil {
					return err
				}
				if slower == 0 || f.Rate < slower {
					slower = f.Rate
				}
			}
			l := closed
			l.Rate, l.Depth = slower/2, 1024
			s.Title = fmt.Sprintf("open loop of %.0f requests a second, %d connections, %d-byte echoes", l.Rate, l.Connections, l.Size)
			s.Subjects = both(l)
			return nil
		},
	}
}

func seams(o Options) Scenario {
	l := measure.Loop{Connections: o.Connections, Depth: 16, Size: o.Size, Seed: o.Seed}
	without := serve()
	without.Program = seamless
	return Scenario{
		Name:     "seams",
		Title:    fmt.Sprintf("places for faults compiled in or not, none armed; %d connections, 16 in flight on each", o.Connections),
		Subjects: []Subject{{"understudy", serve(), l}, {"without seams", without, l}},
		Compared: []Comparison{compare(Throughput, "without seams", atLeast(0.99)), compare(CPU, "without seams", Goal{})},
	}
}

func owningHandlers(o Options, n int) Scenario {
	l := measure.Loop{Connections: o.Connections, Depth: n, Size: o.Size, Seed: o.Seed}
	return Scenario{
		Name:  fmt.Sprintf("owning%d", n),
		Title: fmt.Sprintf("handlers that own google's messages; %d connections, %d in flight on each, %d-byte echoes", o.Connections, n, o.Size),
		Subjects: []Subject{
			{"understudy", Server{Program: owning}, l},
			{"plain", Server{Program: plain}, l},
		},
		Compared: []Comparison{compare(Throughput, "plain", atLeast(1.5)), compare(CPU, "plain", Goal{})},
	}
}
