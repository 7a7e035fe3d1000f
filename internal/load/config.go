package load

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/understudy-go/understudy/transport"
)

// What a Config has where it says nothing.
const (
	DefaultConnections = 64
	DefaultDepth       = 16   // in a closed loop
	DefaultOpenDepth   = 1024 // in an open loop
	DefaultDuration    = 10 * time.Second
	DefaultGrace       = 5 * time.Second
	DefaultInterval    = time.Second
	DefaultDialTimeout = 10 * time.Second
)

const (
	maxDepth     = 1 << 20
	maxIntervals = 600 // kept in a Result: longer runs have longer intervals
)

// Config says what load to make. Its zero value needs a URL and a Protocol to work.
type Config struct {
	URL      transport.URL // where the server is; its framing is not looked at, the Protocol has it
	Protocol Protocol

	Connections int            // 0 is DefaultConnections
	Depth       int            // requests in flight on a connection: that many in a closed loop, at most that many in an open one
	Rate        float64        // requests a second, over all connections; 0 is a closed loop
	Arrivals    Arrivals       // how they are spread over time; the zero value is Poisson
	Warmup      time.Duration  // load before the measurement begins; 0 is none
	Duration    time.Duration  // of the measurement; 0 is DefaultDuration
	Grace       time.Duration  // how long to wait at the end for replies that are due; 0 is DefaultGrace
	Threads     int            // threads that make load; 0 is one for each processor, at most one for each connection
	Seed        uint64         // of the contents, the order and the arrivals
	Interval    time.Duration  // how often Progress is called; 0 is DefaultInterval
	Progress    func(Interval) // called on the goroutine of Run, during the measurement; may be nil
	DialTimeout time.Duration  // to connect all; 0 is DefaultDialTimeout

	// Each is how many requests a connection sends before it is closed and another one takes its place; 0 is no limit. For
	// closed loops. The latency of a connection's first requests then begins with connecting, but for the ones that Run starts
	// with.
	Each int
	// Mark is called when the measurement begins and when it ends, under load, with how many replies have come so far: for
	// whoever measures the server. A run that ends before its time may leave out either. On the goroutine of Run; may be nil.
	Mark func(replies int64)
}

// Arrivals says how the requests of an open loop are spread over time.
type Arrivals int

const (
	// Poisson arrivals are independent of each other: the time between two of a connection is exponentially distributed.
	Poisson Arrivals = iota
	// Uniform arrivals are all at the same distance.
	Uniform
)

// String returns "poisson" or "uniform".
func (a Arrivals) String() string {
	if a == Uniform {
		return "uniform"
	}
	return "poisson"
}

// ConfigError says which field of a Config is wrong, its value and its bound.
type ConfigError struct{ Text string }

// Error returns the text.
func (e *ConfigError) Error() string { return e.Text }

func wrong(format string, args ...any) error { return &ConfigError{fmt.Sprintf(format, args...)} }

// withDefaults fills in what is not said, and checks the rest: the error names the field, the value and the bound.
func (c Config) withDefaults() (Config, error) {
	fill(&c.Connections, DefaultConnections)
	if c.Rate > 0 {
		fill(&c.Depth, DefaultOpenDepth)
	}
	fill(&c.Depth, DefaultDepth)
	fill(&c.Duration, DefaultDuration)
	fill(&c.Grace, DefaultGrace)
	fill(&c.Interval, DefaultInterval)
	fill(&c.DialTimeout, DefaultDialTimeout)
	fill(&c.Threads, min(runtime.GOMAXPROCS(0), c.Connections))
	c.Threads = min(c.Threads, c.Connections)
	c.Interval = max(c.Interval, c.Duration/maxIntervals)
	switch {
	case c.Protocol == nil:
		return c, wrong("Protocol is nil")
	case c.Connections < 1 || c.Connections > 1<<20:
		return c, wrong("Connections is %d, and must be 1 to %d", c.Connections, 1<<20)
	case c.Depth < 1 || c.Depth > maxDepth:
		return c, wrong("Depth is %d, and must be 1 to %d", c.Depth, maxDepth)
	case c.Rate < 0 || math.IsNaN(c.Rate) || c.Rate > 1e9:
		return c, wrong("Rate is %v, and must be 0 to 1e9", c.Rate)
	case c.Each < 0 || c.Each > 0 && c.Rate > 0:
		return c, wrong("Each is %d with a Rate of %v, and must be positive, in a closed loop", c.Each, c.Rate)
	case c.Warmup < 0:
		return c, wrong("Warmup is %v, and must not be negative", c.Warmup)
	case c.Duration < 0 || c.Grace < 0 || c.Interval < 0 || c.DialTimeout < 0:
		return c, wrong("a time is negative: Duration %v, Grace %v, Interval %v, DialTimeout %v", c.Duration, c.Grace, c.Interval, c.DialTimeout)
	case c.Threads < 1:
		return c, wrong("Threads is %d, and must be positive", c.Threads)
	}
	return c, nil
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
