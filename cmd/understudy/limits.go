package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-go/understudy/internal/load"
)

// limits are the thresholds of a measurement; a zero one is none.
type limits struct {
	MaxP50    time.Duration `name:"max-p50" placeholder:"TIME" help:"Half of the latencies may be longer."`
	MaxP99    time.Duration `name:"max-p99" placeholder:"TIME" help:"One in 100 latencies may be longer."`
	MaxP999   time.Duration `name:"max-p999" placeholder:"TIME" help:"One in 1000 latencies may be longer."`
	MinRate   float64       `placeholder:"R" help:"So many replies a second must come."`
	MaxErrors *allowance    `placeholder:"N" help:"So many requests may be answered with an error or not be sent: a number, or a share as 0.1%."`
}

// missed says which thresholds were, each in a few words.
func (l *limits) missed(r *load.Result) (missed []string) {
	for _, p := range []struct {
		name      string
		got, most time.Duration
	}{
		{"p50", r.Latency.P50, l.MaxP50},
		{"p99", r.Latency.P99, l.MaxP99},
		{"p999", r.Latency.P999, l.MaxP999},
	} {
		if p.most > 0 && (p.got > p.most || r.Latency.Count == 0) {
			missed = append(missed, fmt.Sprintf("%s is %v, over --max-%s %v", p.name, figures(p.got), p.name, p.most))
		}
	}
	if l.MinRate > 0 && r.Throughput < l.MinRate {
		missed = append(missed, fmt.Sprintf("the rate is %.1f/s, under --min-rate %g", r.Throughput, l.MinRate))
	}
	if bad := r.Errors + r.Unsent; l.MaxErrors != nil && bad > l.MaxErrors.of(r.Requests+r.Unsent) {
		missed = append(missed, fmt.Sprintf("%d of %d requests failed, over --max-errors %s", bad, r.Requests+r.Unsent, l.MaxErrors))
	}
	return missed
}

func joined(missed []string) string { return strings.Join(missed, "; ") }

// allowance is how many requests may fail: a number or a share.
type allowance struct {
	n     int64
	share float64
	text  string
}

// UnmarshalText reads "10" or "0.1%".
func (a *allowance) UnmarshalText(text []byte) error {
	read := allowance{text: string(text)}
	var err error
	if percent, ok := strings.CutSuffix(read.text, "%"); ok {
		read.share, err = strconv.ParseFloat(percent, 64)
		read.share /= 100
	} else {
		read.n, err = strconv.ParseInt(read.text, 10, 64)
	}
	if err != nil || read.n < 0 || !(read.share >= 0 && read.share <= 1) {
		return fmt.Errorf("%q is neither a number of requests nor a share of them as 0.1%%", text)
	}
	*a = read
	return nil
}

// String returns what was read.
func (a *allowance) String() string { return a.text }

// of returns how many of n requests may fail.
func (a *allowance) of(n int64) int64 { return a.n + int64(a.share*float64(n)) }
