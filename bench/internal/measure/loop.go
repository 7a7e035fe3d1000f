package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/understudy-go/understudy/bench/internal/process"
	"github.com/understudy-go/understudy/internal/load"
	"github.com/understudy-go/understudy/messages"
)

// Loop is a load of echoes: a closed loop, or at a Rate an open one, whose arrivals are Poisson's.
type Loop struct {
	Connections int
	Depth       int     // requests in flight on a connection
	Size        int     // bytes of an echo's content
	Rate        float64 // requests a second; 0 is a closed loop
	Each        int     // requests that each connection sends before it closes and another takes its place; 0 is no limit
	// Failing says that some of the replies are INTERNAL errors, and must be: the server's handlers panic.
	Failing bool
	Seed    uint64
}

// Run implements Load.
func (l Loop) Run(ctx context.Context, s *process.Server, t Times) (Figures, error) {
	m := meter{server: s}
	r, err := load.Run(ctx, load.Config{
		URL:         s.URL,
		Protocol:    load.EchoAdd(s.URL.Framing, load.Mix{Echo: 1, Size: load.Sizes{Least: l.Size, Most: l.Size}}),
		Connections: l.Connections,
		Depth:       l.Depth,
		Rate:        l.Rate,
		Warmup:      t.Warmup,
		Duration:    t.Duration,
		Seed:        l.Seed,
		Each:        l.Each,
		Mark:        m.mark,
	})
	if err != nil {
		return none(), err
	}
	if err := l.check(r); err != nil {
		return none(), err
	}
	f, err := m.figures()
	if err != nil {
		return none(), err
	}
	f.Rate = r.Throughput // by the load's own clock, which no other goroutine can be late for
	f.P50, f.P99, f.P999 = nanoseconds(r.Latency.P50), nanoseconds(r.Latency.P99), nanoseconds(r.Latency.P999)
	if why := r.Generator.Bottleneck; why != "" && f.Note == "" {
		f.Note = "the load was the bottleneck: " + why
	}
	return f, nil
}

func nanoseconds(d time.Duration) float64 { return float64(d) }

// check says what was wrong with the replies.
func (l Loop) check(r *load.Result) error {
	internal := r.Codes[messages.Internal.String()]
	switch {
	case r.Interrupted:
		return context.Canceled
	case r.Wrong+r.Misplaced+r.Surplus+r.Lost+r.Unanswered > 0:
		return fmt.Errorf("%d wrong replies, %d in another's place, %d to nothing, %d lost connections, %d requests without a reply: %s",
			r.Wrong, r.Misplaced, r.Surplus, r.Lost, r.Unanswered, r.Problem)
	case r.Throughput == 0:
		return errNoReply
	case r.Unsent > 0:
		return fmt.Errorf("%d requests of an open loop could not be sent at all: the server is overloaded", r.Unsent)
	case l.Failing && internal == 0:
		return errors.New("no handler has panicked, and some must")
	case l.Failing && r.Errors > internal, !l.Failing && r.Errors > 0:
		return fmt.Errorf("error replies: %v", r.Codes)
	}
	return nil
}
