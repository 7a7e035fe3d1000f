package report_test

import (
	"math"
	"strings"
	"testing"

	"github.com/understudy-go/understudy/bench/internal/measure"
	"github.com/understudy-go/understudy/bench/internal/report"
	"github.com/understudy-go/understudy/bench/internal/scenario"
)

func TestWrite(t *testing.T) {
	nan := math.NaN()
	ours := measure.Figures{Rate: 1_234_567, CPU: 567, P50: 1234, P99: 45_678, P999: 1_234_567, Memory: nan}
	theirs := measure.Figures{Rate: 600_000, CPU: 1000, P50: 2000, P99: 3000, P999: 4000, Memory: nan, Note: "the load was busy"}
	better := theirs
	better.Rate, better.Note = 1_000_000, ""
	outcomes := []scenario.Outcome{{
		Scenario: scenario.Scenario{
			Name: "depth16", Title: "64 connections",
			Subjects: []scenario.Subject{{Name: "understudy"}, {Name: "plain"}},
			Compared: []scenario.Comparison{
				{Metric: scenario.Throughput, Subject: "understudy", Against: "plain", Goal: scenario.Goal{AtLeast: true, Bound: 1.7}},
				{Metric: scenario.CPU, Subject: "understudy", Against: "plain", Goal: scenario.Goal{Bound: 0.45}},
				{Metric: scenario.P99, Subject: "understudy", Against: "plain"},
			},
		},
		Rounds: map[string][]measure.Figures{
			"understudy": {ours, ours, ours, ours, ours, ours, ours},
			"plain":      {theirs, theirs, better, better, theirs, better, theirs},
		},
	}, {
		Scenario: scenario.Scenario{
			Name: "idle", Title: "at rest",
			Subjects: []scenario.Subject{{Name: "understudy"}},
			Compared: []scenario.Comparison{{Metric: scenario.Memory, Subject: "understudy", Goal: scenario.Goal{Bound: 6 << 10}}},
		},
		Rounds: map[string][]measure.Figures{"understudy": {{Rate: nan, CPU: nan, P50: nan, P99: nan, P999: nan, Memory: 5 << 10}}},
	}}
	var b strings.Builder
	if err := report.Write(&b, outcomes, 1); err != nil {
		t.Fatal(err)
	}
	const want = `| scenario | compared | goal | median of the rounds [95% interval] | met |
|---|---|---|---|---|
| depth16 | throughput ÷ plain | ≥ 1.70 | 2.06 [1.23, 2.06] | yes, not surely |
| depth16 | CPU ÷ plain | ≤ 0.45 | 0.57 [0.57, 0.57] | no |
| depth16 | p99 ÷ plain |  | 15.23 [15.23, 15.23] |  |
| idle | memory a connection | ≤ 6.00 KiB | 5.00 KiB [5.00 KiB, 5.00 KiB] | yes |

| scenario | server | a second | CPU each, µs | p50, µs | p99, µs | p99.9, µs | KiB a connection |
|---|---|---:|---:|---:|---:|---:|---:|
| depth16 | understudy | 1,234,567 | 0.567 | 1.23 | 45.7 | 1,235 | – |
| depth16 | plain | 600,000 | 1.00 | 2.00 | 3.00 | 4.00 | – |
| idle | understudy | – | – | – | – | – | 5.00 |

- depth16: 64 connections.
  With plain, in 4 of 7 rounds: the load was busy.
- idle: at rest.
`
	if got := b.String(); got != want {
		t.Errorf("the report is\n%s\nwant\n%s", got, want)
	}
}

func TestHeader(t *testing.T) {
	var b strings.Builder
	report.Header(&b, "go run ./cmd/compare", "abc123", "nine rounds")
	for _, want := range []string{"processors", "Linux ", "go1.", "abc123", "`go run ./cmd/compare`", "nine rounds"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the header does not say %q:\n%s", want, &b)
		}
	}
}
