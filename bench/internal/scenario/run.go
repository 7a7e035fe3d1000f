package scenario

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/understudy-go/understudy/bench/internal/measure"
	"github.com/understudy-go/understudy/bench/internal/process"
	"github.com/understudy-go/understudy/bench/internal/stats"
)

// Runner runs scenarios.
type Runner struct {
	Programs string        // the directory that they were built into
	Rounds   int           // how often each subject is measured
	Times    measure.Times // of each measurement
	Seed     uint64        // of the order within the rounds, and of the intervals
	Progress func(string)  // gets a line for each measurement; may be nil
}

// Outcome is what was found in a scenario.
type Outcome struct {
	Scenario Scenario
	Rounds   map[string][]measure.Figures // of each subject, by the round
}

// pause is how long the machine rests between two measurements: what the last server left, such as its sockets, is cleared up.
const pause = 100 * time.Millisecond

// Run measures all subjects of a scenario in turn, round after round: in each round every subject once, in an order of its own,
// so that none always follows the same other one. Each measurement starts its server anew. It ends with the first error.
func (r Runner) Run(ctx context.Context, s Scenario) (Outcome, error) {
	if s.Prepare != nil {
		if err := s.Prepare(ctx, &s, r.measure); err != nil {
			return Outcome{}, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	o := Outcome{s, map[string][]measure.Figures{}}
	random := rand.New(rand.NewPCG(r.Seed, 1))
	for round := range r.Rounds {
		for _, i := range random.Perm(len(s.Subjects)) {
			subject := s.Subjects[i]
			f, err := r.measure(ctx, subject)
			if err != nil {
				return o, fmt.Errorf("%s, round %d, %s: %w", s.Name, round+1, subject.Name, err)
			}
			o.Rounds[subject.Name] = append(o.Rounds[subject.Name], f)
			if r.Progress != nil {
				r.Progress(fmt.Sprintf("%s, round %d of %d, %s: %s", s.Name, round+1, r.Rounds, subject.Name, brief(f)))
			}
		}
	}
	return o, nil
}

func brief(f measure.Figures) string {
	text := fmt.Sprintf("%.0f/s, %.2f µs of CPU each", f.Rate, f.CPU/1e3)
	if !math.IsNaN(f.Memory) {
		text = fmt.Sprintf("%.0f bytes a connection", f.Memory)
	}
	if f.Note != "" {
		text += " (" + f.Note + ")"
	}
	return text
}

// measure is a Measure.
func (r Runner) measure(ctx context.Context, s Subject) (measure.Figures, error) {
	server, err := process.Start(ctx, filepath.Join(r.Programs, s.Server.Program.Name), s.Server.Args...)
	if err != nil {
		return measure.Figures{}, err
	}
	f, err := s.Load.Run(ctx, server, r.Times)
	if stopErr := server.Stop(); stopErr != nil {
		err = errors.Join(err, fmt.Errorf("the server's end: %w", stopErr))
	}
	if err == nil {
		time.Sleep(pause)
	}
	return f, err
}

// Values returns a metric of a subject, by the round.
func (o Outcome) Values(subject string, m Metric) []float64 {
	var values []float64
	for _, f := range o.Rounds[subject] {
		values = append(values, m.Of(f))
	}
	return values
}

// Estimate returns the median of what is compared, with its interval.
func (o Outcome) Estimate(c Comparison, seed uint64) stats.Estimate {
	values := o.Values(c.Subject, c.Metric)
	if c.Against != "" {
		values = stats.Ratios(values, o.Values(c.Against, c.Metric))
	}
	return stats.Bootstrap(values, seed)
}
