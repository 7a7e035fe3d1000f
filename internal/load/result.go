package load

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/understudy-go/understudy/messages"
)

// Result is what a Run measured. Unless a field says otherwise, a request counts if it was sent (in an open loop: meant to
// be sent) during the measurement, whenever its reply came; the times of warm-up and of grace are not in it.
type Result struct {
	Connections int     `json:"connections"`
	Depth       int     `json:"depth"`
	Rate        float64 `json:"rate,omitempty"`     // as it was wanted; 0 is a closed loop
	Arrivals    string  `json:"arrivals,omitempty"` // of an open loop
	Seed        uint64  `json:"seed"`
	Interrupted bool    `json:"interrupted"` // it ended before its time

	Duration   time.Duration `json:"duration_ns"` // of the measurement
	Requests   int64         `json:"requests"`    // sent
	Replies    int64         `json:"replies"`     // to those requests, error replies included
	Throughput float64       `json:"throughput"`  // replies that came during the measurement, a second
	Sent       int64         `json:"bytes_sent"`  // during the measurement
	Received   int64         `json:"bytes_received"`
	Bursts     int64         `json:"bursts"` // writes during the measurement

	Errors     int64            `json:"errors"`            // replies that were errors
	Codes      map[string]int64 `json:"codes,omitempty"`   // of Errors, by the code's name
	Wrong      int64            `json:"wrong"`             // replies with a content that nobody asked for, at any time
	Misplaced  int64            `json:"misplaced"`         // replies that belonged in another place, at any time
	Surplus    int64            `json:"surplus"`           // replies to nothing, at any time
	Lost       int64            `json:"lost_connections"`  // connections that ended before their time, at any time
	Unanswered int64            `json:"unanswered"`        // requests that had no reply when the grace had passed or their connection ended
	Unsent     int64            `json:"unsent"`            // requests of an open loop that could not be sent at all
	Late       int64            `json:"late"`              // requests of an open loop that were sent a millisecond or more after they were meant to be
	LateOwn    int64            `json:"late_generator"`    // of Late: those that the generator, not the server, held up
	Problem    string           `json:"problem,omitempty"` // the first thing that was wrong, for people

	// Latency is of each request that was sent or meant to be; error replies count. Of what was never answered or sent, it is
	// how long that had waited at the end of the run.
	Latency   Latency    `json:"latency"`
	Generator Generator  `json:"generator"`
	Intervals []Interval `json:"intervals,omitempty"`

	histogram *hdrhistogram.Histogram
}

// Latency is a distribution of times; each is exact to three figures.
type Latency struct {
	Count int64         `json:"count"`
	Min   time.Duration `json:"min_ns"`
	Mean  time.Duration `json:"mean_ns"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p999_ns"`
	P9999 time.Duration `json:"p9999_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Interval is a part of a measurement, for progress. What happens in an interval belongs to it within a few milliseconds.
type Interval struct {
	From       time.Duration `json:"from_ns"` // since the measurement began
	To         time.Duration `json:"to_ns"`
	Replies    int64         `json:"replies"` // that came
	Throughput float64       `json:"throughput"`
	Errors     int64         `json:"errors"`
	P50        time.Duration `json:"p50_ns"`
	P99        time.Duration `json:"p99_ns"`
	Max        time.Duration `json:"max_ns"`
}

// Generator is what the load itself cost, and whether it was the bottleneck.
type Generator struct {
	Threads    int           `json:"threads"`
	Processors int           `json:"processors"`     // that the program may use at once
	CPU        time.Duration `json:"cpu_ns"`         // CPU time that the threads used during the measurement
	ProcessCPU time.Duration `json:"process_cpu_ns"` // CPU time of the whole process
	Share      float64       `json:"share"`          // CPU as a part of all processors' time
	// Busy is the part of the busiest thread's time in which it had something to do: it ran, or waited for a processor.
	Busy float64 `json:"busy"`
	// Delayed is the part of the most delayed thread's time in which it waited for a processor; 0 if the system does not tell.
	Delayed float64 `json:"delayed"`
	// Bottleneck is why the results say more of the generator than of the server; empty if they do not.
	Bottleneck string `json:"bottleneck,omitempty"`
}

// CPUPerRequest returns the generator's CPU time for each reply that came, 0 if none came.
func (r *Result) CPUPerRequest() time.Duration {
	replies := r.Throughput * r.Duration.Seconds()
	if replies < 1 {
		return 0
	}
	return time.Duration(float64(r.Generator.CPU) / replies)
}

// Quantile returns a latency; q is from 0 to 1.
func (r *Result) Quantile(q float64) time.Duration {
	return time.Duration(r.histogram.ValueAtQuantile(q * 100))
}

// Histogram returns all latencies in nanoseconds.
func (r *Result) Histogram() *hdrhistogram.Histogram { return r.histogram }

// result makes the Result after measure.
func (r *run) result() *Result {
	t := r.total
	took := max(time.Duration(r.to.Load()-r.from), 0)
	result := &Result{
		Connections: r.Connections, Depth: r.Depth, Rate: r.Rate, Seed: r.Seed, Interrupted: r.cut,
		Duration: took, Requests: t.requests, Replies: t.answered, Throughput: rate(t.arrived, took),
		Sent: t.sent, Received: t.received, Bursts: t.bursts,
		Errors: t.failed, Wrong: t.wrong, Misplaced: t.misplaced, Surplus: t.surplus, Lost: t.lost,
		Unanswered: t.unanswered, Unsent: t.unsent, Late: t.late, LateOwn: t.ownLate,
		Latency: newLatency(t.latency), Intervals: r.intervals, histogram: t.latency,
	}
	if r.Rate > 0 {
		result.Arrivals = r.Arrivals.String()
	}
	for code, n := range t.codes {
		if n > 0 {
			if result.Codes == nil {
				result.Codes = map[string]int64{}
			}
			name := messages.Code(code).String()
			if code == messages.Codes {
				name = "other"
			}
			result.Codes[name] = n
		}
	}
	for _, l := range r.loops {
		if result.Problem == "" {
			result.Problem = l.first
		}
	}
	result.Generator = r.generator(took)
	return result
}

// What makes the generator the bottleneck.
const (
	busyLimit = 0.9  // of a thread's time
	lateLimit = 0.01 // of the requests late by the generator's fault
)

func (r *run) generator(took time.Duration) Generator {
	g := Generator{Threads: len(r.loops), Processors: runtime.GOMAXPROCS(0), ProcessCPU: time.Duration(max(r.process, 0))}
	for _, l := range r.loops {
		u := l.usage
		g.CPU += time.Duration(max(u.cpu, 0))
		if all := float64(u.to - u.from); all > 0 {
			delayed := float64(u.delay) / all
			g.Delayed = max(g.Delayed, delayed)
			g.Busy = max(g.Busy, 1-float64(u.idle)/all, float64(u.cpu)/all+delayed)
		}
	}
	if took > 0 {
		g.Share = g.CPU.Seconds() / took.Seconds() / float64(g.Processors)
	}
	t := r.total
	switch {
	case t.requests > 0 && float64(t.ownLate) > lateLimit*float64(t.requests):
		g.Bottleneck = fmt.Sprintf("%.1f%% of the requests were sent late by its own fault", 100*float64(t.ownLate)/float64(t.requests))
	case r.Rate == 0 && g.Busy >= busyLimit:
		g.Bottleneck = fmt.Sprintf("one of its threads had something to do for %.0f%% of the time", 100*g.Busy)
	}
	return g
}

func newLatency(h *hdrhistogram.Histogram) Latency {
	at := func(q float64) time.Duration { return time.Duration(h.ValueAtQuantile(q)) }
	l := Latency{Count: h.TotalCount()}
	if l.Count > 0 {
		l.Min, l.Mean, l.Max = time.Duration(h.Min()), time.Duration(math.Round(h.Mean())), time.Duration(h.Max())
		l.P50, l.P90, l.P99, l.P999, l.P9999 = at(50), at(90), at(99), at(99.9), at(99.99)
	}
	return l
}

func newInterval(from, to time.Duration, t *tally) Interval {
	l := newLatency(t.latency)
	return Interval{
		From: from, To: to, Replies: t.arrived, Throughput: rate(t.arrived, to-from), Errors: t.failed,
		P50: l.P50, P99: l.P99, Max: l.Max,
	}
}

// rate returns n a second.
func rate(n int64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}
