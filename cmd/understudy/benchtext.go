package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/understudy-go/understudy/internal/load"
)

// printText prints a result for people, in 80 columns.
func (c *benchCommand) printText(w io.Writer, r *load.Result, missed []string) error {
	var b strings.Builder
	c.describe(&b, r)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-11s "+format+"\n", append([]any{name}, args...)...)
	}
	row("requests", "%s sent, %s answered, %s errors", comma(r.Requests), comma(r.Replies), comma(r.Errors))
	for _, code := range slices.Sorted(maps.Keys(r.Codes)) {
		row("", "%s %s", comma(r.Codes[code]), code)
	}
	seconds := max(r.Duration.Seconds(), math.SmallestNonzeroFloat64)
	row("throughput", "%s replies/s; %s/s sent, %s/s received", humanize.CommafWithDigits(r.Throughput, 0),
		humanize.IBytes(uint64(float64(r.Sent)/seconds)), humanize.IBytes(uint64(float64(r.Received)/seconds)))
	l := r.Latency
	row("latency", "min %v, mean %v, p50 %v, p90 %v, p99 %v,", figures(l.Min), figures(l.Mean), figures(l.P50), figures(l.P90), figures(l.P99))
	row("", "p99.9 %v, p99.99 %v, max %v", figures(l.P999), figures(l.P9999), figures(l.Max))
	if r.Rate > 0 {
		row("schedule", "%s sent late by 1ms or more, %s never sent;", comma(r.Late), comma(r.Unsent))
		row("", "%s late by the generator's own fault", comma(r.LateOwn))
	}
	row("checked", "%s wrong, %s misplaced, %s surplus, %s missing;", comma(r.Wrong), comma(r.Misplaced), comma(r.Surplus), comma(r.Unanswered))
	row("", "%s lost", count(int(r.Lost), "connection"))
	g := r.Generator
	row("generator", "%.2f of %d processors, %v a reply;", g.Share*float64(g.Processors), g.Processors, figures(r.CPUPerRequest()))
	row("", "busy for %.0f%% of the time, waiting for a processor for %.0f%%;", 100*g.Busy, 100*g.Delayed)
	if g.Bottleneck == "" {
		row("", "it was not the bottleneck")
	} else {
		row("", "IT WAS THE BOTTLENECK, so this says less of the server:")
		row("", "%s", g.Bottleneck)
	}
	for _, m := range missed {
		row("missed", "%s", m)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// describe says what was done.
func (c *benchCommand) describe(w io.Writer, r *load.Result) {
	fmt.Fprintln(w, c.Addr)
	fmt.Fprintf(w, "%s, ", count(r.Connections, "connection"))
	if r.Rate > 0 {
		fmt.Fprintf(w, "%s requests/s (%s), at most %s in flight each\n", humanize.Commaf(r.Rate), r.Arrivals, comma(int64(r.Depth)))
	} else {
		fmt.Fprintf(w, "%s in flight each\n", comma(int64(r.Depth)))
	}
	ended := ""
	if r.Interrupted {
		ended = fmt.Sprintf(", and ended before its %v were over", c.Duration)
	}
	fmt.Fprintf(w, "%s, echoes of %s bytes; measured for %v%s\n\n", c.Mix, c.Size, figures(r.Duration), ended)
}

func comma(n int64) string { return humanize.Comma(n) }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return comma(int64(n)) + " " + what + "s"
}

// figures rounds to three of them.
func figures(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
