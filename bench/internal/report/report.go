// Package report writes what a comparison found as Markdown.
package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/understudy-go/understudy/bench/internal/measure"
	"github.com/understudy-go/understudy/bench/internal/scenario"
	"github.com/understudy-go/understudy/bench/internal/stats"
)

// Write writes the table of goals and the table of figures. The seed is of the intervals.
func Write(w io.Writer, outcomes []scenario.Outcome, seed uint64) error {
	var b strings.Builder
	goals(&b, outcomes, seed)
	b.WriteString("\n")
	figures(&b, outcomes)
	notes(&b, outcomes)
	_, err := io.WriteString(w, b.String())
	return err
}

func goals(b *strings.Builder, outcomes []scenario.Outcome, seed uint64) {
	b.WriteString("| scenario | compared | goal | median of the rounds [95% interval] | met |\n|---|---|---|---|---|\n")
	for _, o := range outcomes {
		for _, c := range o.Scenario.Compared {
			e := o.Estimate(c, seed)
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", o.Scenario.Name, compared(c), goal(c), estimate(c, e), verdict(c.Goal, e))
		}
	}
}

func compared(c scenario.Comparison) string {
	what := c.Metric.String()
	if c.Subject != "understudy" {
		what += ", " + c.Subject
	}
	if c.Against != "" {
		what += " ÷ " + c.Against
	}
	return what
}

func goal(c scenario.Comparison) string {
	if !c.Goal.IsSet() {
		return ""
	}
	sign := "≤"
	if c.Goal.AtLeast {
		sign = "≥"
	}
	return sign + " " + value(c, c.Goal.Bound)
}

// value writes a ratio, or a metric.
func value(c scenario.Comparison, v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case c.Against != "":
		return fmt.Sprintf("%.2f", v)
	case c.Metric == scenario.Memory:
		return fmt.Sprintf("%.2f KiB", v/1024)
	case c.Metric == scenario.Throughput:
		return count(v)
	default:
		return micros(v)
	}
}

func estimate(c scenario.Comparison, e stats.Estimate) string {
	return fmt.Sprintf("%s [%s, %s]", value(c, e.Median), value(c, e.Low), value(c, e.High))
}

// verdict says whether a goal is met, and whether the interval leaves that open.
func verdict(g scenario.Goal, e stats.Estimate) string {
	if !g.IsSet() || math.IsNaN(e.Median) {
		return ""
	}
	answer := "no"
	if g.Met(e.Median) {
		answer = "yes"
	}
	if g.Met(e.Low) != g.Met(e.High) {
		answer += ", not surely"
	}
	return answer
}

// columns are the metrics of a subject.
var columns = []struct {
	title string
	of    func(measure.Figures) float64
	text  func(float64) string
}{
	{"a second", func(f measure.Figures) float64 { return f.Rate }, count},
	{"CPU each, µs", func(f measure.Figures) float64 { return f.CPU }, micros},
	{"p50, µs", func(f measure.Figures) float64 { return f.P50 }, micros},
	{"p99, µs", func(f measure.Figures) float64 { return f.P99 }, micros},
	{"p99.9, µs", func(f measure.Figures) float64 { return f.P999 }, micros},
	{"KiB a connection", func(f measure.Figures) float64 { return f.Memory }, func(v float64) string { return fmt.Sprintf("%.2f", v/1024) }},
}

func figures(b *strings.Builder, outcomes []scenario.Outcome) {
	b.WriteString("| scenario | server |")
	for _, c := range columns {
		fmt.Fprintf(b, " %s |", c.title)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---:|", len(columns)) + "\n")
	for _, o := range outcomes {
		for _, s := range o.Scenario.Subjects {
			fmt.Fprintf(b, "| %s | %s |", o.Scenario.Name, s.Name)
			for _, c := range columns {
				var values []float64
				for _, f := range o.Rounds[s.Name] {
					values = append(values, c.of(f))
				}
				text := "–"
				if v := stats.Median(values); !math.IsNaN(v) {
					text = c.text(v)
				}
				fmt.Fprintf(b, " %s |", text)
			}
			b.WriteString("\n")
		}
	}
}

// micros writes microseconds with three figures, or all of those before the point.
func micros(ns float64) string {
	v := ns / 1e3
	switch {
	case v >= 100:
		return count(v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// count writes a number with a comma for each thousand.
func count(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// notes says what each scenario is, and what was odd.
func notes(b *strings.Builder, outcomes []scenario.Outcome) {
	b.WriteString("\n")
	for _, o := range outcomes {
		fmt.Fprintf(b, "- %s: %s.\n", o.Scenario.Name, o.Scenario.Title)
		for _, s := range o.Scenario.Subjects {
			noted, last := 0, ""
			for _, f := range o.Rounds[s.Name] {
				if f.Note != "" {
					noted, last = noted+1, f.Note
				}
			}
			if noted > 0 {
				fmt.Fprintf(b, "  With %s, in %d of %d rounds: %s.\n", s.Name, noted, len(o.Rounds[s.Name]), last)
			}
		}
	}
}
