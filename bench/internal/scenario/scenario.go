// Package scenario says what is compared with what, under which load, and what is wanted; and runs it in rounds.
package scenario

import (
	"context"
	"math"

	"github.com/understudy-go/understudy/bench/internal/measure"
)

// Server is a program and how it is started. It must print "listening on URL" when it listens.
type Server struct {
	Program Program
	Args    []string
}

// Subject is what is measured: a server under a load. It has a name of its own in its scenario.
type Subject struct {
	Name   string
	Server Server
	Load   measure.Load
}

// Scenario is a comparison of several subjects.
type Scenario struct {
	Name     string // on the command line
	Title    string // what the load is
	Subjects []Subject
	Compared []Comparison
	// Prepare, if there is one, is called once, before the first round, to say what could not be said before.
	Prepare func(ctx context.Context, s *Scenario, run Measure) error
}

// Measure starts a subject's server, measures it, and stops it.
type Measure func(ctx context.Context, s Subject) (measure.Figures, error)

// Metric is one of the figures.
type Metric int

// The metrics.
const (
	Throughput Metric = iota
	CPU
	P99
	P999
	Memory
)

// String returns the metric as the table has it.
func (m Metric) String() string {
	return [...]string{"throughput", "CPU", "p99", "p99.9", "memory a connection"}[m]
}

// Of returns the metric of figures.
func (m Metric) Of(f measure.Figures) float64 {
	switch m {
	case Throughput:
		return f.Rate
	case CPU:
		return f.CPU
	case P99:
		return f.P99
	case P999:
		return f.P999
	case Memory:
		return f.Memory
	}
	return math.NaN()
}

// Comparison is a metric of one subject, as a multiple of another's in the same round, and what is wanted of it.
type Comparison struct {
	Metric  Metric
	Subject string
	Against string // another subject; empty if the metric itself is wanted
	Goal    Goal
}

// Goal is what a comparison should find. The zero value is none.
type Goal struct {
	AtLeast bool // or at most
	Bound   float64
}

func atLeast(bound float64) Goal { return Goal{true, bound} }
func atMost(bound float64) Goal  { return Goal{false, bound} }

// IsSet tells whether there is a goal.
func (g Goal) IsSet() bool { return g.Bound != 0 }

// Met tells whether v meets the goal.
func (g Goal) Met(v float64) bool {
	if g.AtLeast {
		return v >= g.Bound
	}
	return v <= g.Bound
}
