package understudy

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"syscall"
	"time"

	"github.com/understudy-go/understudy/actors"
	"github.com/understudy-go/understudy/internal/fault"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
)

// The defaults: what a zero field of a Config means.
const (
	DefaultListen       = "tcp://127.0.0.1:7070"
	DefaultQueue        = 256 << 10
	DefaultWindow       = 1024
	DefaultWindowBytes  = 1 << 20
	DefaultMaxFrame     = 4 << 20
	DefaultReadBuffer   = 64 << 10
	DefaultWriteBuffer  = 64 << 10
	DefaultDeadline     = 5 * time.Second
	DefaultStall        = 50 * time.Millisecond
	DefaultMaxDetached  = 1024
	DefaultRetries      = 2
	DefaultDrain        = 10 * time.Second
	DefaultGrace        = 6 * time.Second
	DefaultLinger       = 2 * time.Second
	DefaultFirstByte    = 30 * time.Second
	DefaultIdle         = 10 * time.Minute
	DefaultFrameTimeout = 30 * time.Second
	DefaultWriteTimeout = 30 * time.Second
	DefaultKeepAlive    = 15 * time.Second
)

// workersLimit is the largest number of workers.
const workersLimit = 4096

// maxRetries bounds Retries: each costs a worker's restart.
const maxRetries = 100

// restAfter is how long a connection must be silent, at first, before its reader goroutine gives way to one with a small stack.
const restAfter = 20 * time.Millisecond

// reservedFiles is how many descriptors are kept back from connections: listeners, logs, the runtime's own.
const reservedFiles = 64

// Config says how a server is to be. The zero value works: it serves [EchoAdd] on [DefaultListen]. Every zero field means
// its default. [New] validates it, and copies it.
type Config struct {
	// Listen are the URLs to listen on: tcp://host:port or unix:///path, with an optional ?framing=delimited, length32 or
	// unframed. Port 0 picks one. None means DefaultListen.
	Listen []string
	// Service handles the requests. nil means EchoAdd.
	Service Handlers
	// Logger gets what the server has to say: failures and what was done about them. nil means that it says nothing.
	// What it panics on is lost. The server's end waits for it to take what was said.
	Logger *slog.Logger

	// Workers is how many requests can be handled at once, at most workersLimit, not counting handlers that have stalled:
	// those are replaced, see Stall and MaxDetached. 0 means eight for each processor.
	Workers int
	// MaxWorkers is to how many workers the pool may grow while requests wait; it shrinks again when half of the workers
	// would do. 0 means 64 for each processor if Workers is 0 too, else Workers: then the pool never changes its size.
	// Handlers that wait for something else gain by more workers, handlers that compute do not.
	MaxWorkers int
	// Routing says which idle worker gets requests. The zero value is FirstIdle.
	Routing Routing
	// Queue is how many requests may wait for a worker, and how many actors may have been asked and not have responded; a
	// request more is answered with RESOURCE_EXHAUSTED.
	Queue int
	// Window is how many requests of one connection may be in flight. While as many are, the connection is not read.
	Window int
	// WindowBytes is how many bytes of requests and replies of one connection may be in flight. It is soft: the last
	// request and its reply may go over it.
	WindowBytes int
	// MaxConnections is how many connections there may be; one more is told RESOURCE_EXHAUSTED, and closed. 0 means as
	// many as the process may have files, less 64.
	MaxConnections int
	// MaxFrame is how many bytes a request may have.
	MaxFrame int
	// ReadBuffer is how many bytes one read takes at most, and WriteBuffer how many bytes of replies are joined for one
	// write. A connection at rest holds neither.
	ReadBuffer, WriteBuffer int

	// Deadline is how long a request may take from its arrival, waiting included.
	Deadline time.Duration
	// Stall is how long a handler may run before its worker is taken out of the pool, and the requests that arrived with
	// this one are given to others. The handler goes on until its deadline; a substitute takes the worker's place.
	Stall time.Duration
	// MaxDetached is how many handlers may have stalled at once. When as many do not return, a handler of which calls are
	// among them answers UNAVAILABLE; other handlers are served, and as many of their calls as there are workers may stall on
	// top of that.
	MaxDetached int
	// Retries is how often an Idempotent handler is called again for a request with which it crashed. Negative means never.
	Retries int
	// Drain is how long an orderly end may take. Half a second before its end (or at half of it, if it is shorter than
	// a second) what is unanswered is answered with UNAVAILABLE.
	Drain time.Duration
	// Grace is how long replies may take after a peer has half-closed; what is unanswered then gets UNAVAILABLE.
	Grace time.Duration
	// Linger is how long a peer may take to close after it got the last reply.
	Linger time.Duration

	// FirstByteTimeout ends a connection on which nothing comes, IdleTimeout one that is quiet and has no request in
	// flight, FrameTimeout one that begins a request and does not end it, WriteTimeout one that takes no WriteBuffer of
	// replies for so long. Negative means no limit for the first three.
	FirstByteTimeout, IdleTimeout, FrameTimeout, WriteTimeout time.Duration

	// KeepAlive is the time between TCP keep-alive probes; negative means none.
	KeepAlive time.Duration
	// Delay lets the kernel collect small writes (no TCP_NODELAY).
	Delay bool
	// ReceiveBuffer and SendBuffer are the socket's buffers in the kernel, in bytes. 0 leaves them to the kernel.
	ReceiveBuffer, SendBuffer int

	// CheckBorrowed has handlers that are registered as [Borrowing] watched, for tests and for looking for a fault: one that
	// writes to its message has the request answered INTERNAL; one that keeps it, or its context, finds it overwritten, and is
	// named in the log when the garbage collector has run twice, or at the server's end. It costs some microseconds a request.
	CheckBorrowed bool

	// Faults are injected into the server, for experiments, such as "panic worker/* p=0.01 seed=7".
	Faults []string
}

// withDefaults returns c with every zero field set.
func (c Config) withDefaults() Config {
	if len(c.Listen) == 0 {
		c.Listen = []string{DefaultListen}
	}
	if c.Service == nil {
		c.Service = EchoAdd()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Workers == 0 {
		set(&c.MaxWorkers, min(64*runtime.GOMAXPROCS(0), workersLimit))
		c.Workers = min(8*runtime.GOMAXPROCS(0), max(c.MaxWorkers, 1))
	}
	set(&c.MaxWorkers, c.Workers)
	set(&c.Queue, DefaultQueue)
	set(&c.Window, DefaultWindow)
	set(&c.WindowBytes, DefaultWindowBytes)
	set(&c.MaxConnections, connectionLimit())
	set(&c.MaxFrame, DefaultMaxFrame)
	set(&c.ReadBuffer, DefaultReadBuffer)
	set(&c.WriteBuffer, DefaultWriteBuffer)
	set(&c.Deadline, DefaultDeadline)
	set(&c.Stall, DefaultStall)
	set(&c.MaxDetached, DefaultMaxDetached)
	set(&c.Retries, DefaultRetries)
	set(&c.Drain, DefaultDrain)
	set(&c.Grace, DefaultGrace)
	set(&c.Linger, DefaultLinger)
	set(&c.FirstByteTimeout, DefaultFirstByte)
	set(&c.IdleTimeout, DefaultIdle)
	set(&c.FrameTimeout, DefaultFrameTimeout)
	set(&c.WriteTimeout, DefaultWriteTimeout)
	set(&c.KeepAlive, DefaultKeepAlive)
	return c
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// connectionLimit is how many connections the process may have.
func connectionLimit() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || l.Cur < 2*reservedFiles {
		return reservedFiles
	}
	return int(min(l.Cur, math.MaxInt32)) - reservedFiles
}

// Validate reports everything that is wrong with c, joined: each error names the field, its value, and the bound.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	bound := func(field string, value, low, high int) {
		if value < low || value > high {
			errs = append(errs, fmt.Errorf("config: %s is %d, and must be from %d to %d", field, value, low, high))
		}
	}
	atLeast := func(field string, value, low time.Duration) {
		if value < low {
			errs = append(errs, fmt.Errorf("config: %s is %s, and must be at least %s", field, value, low))
		}
	}
	bound("Workers", c.Workers, 1, workersLimit)
	bound("MaxWorkers", c.MaxWorkers, c.Workers, workersLimit)
	bound("Routing", int(c.Routing), 0, len(actors.Routings())-1)
	bound("Retries", c.Retries, math.MinInt, maxRetries)
	bound("Queue", c.Queue, 1, math.MaxInt32)
	bound("Window", c.Window, 1, 1<<20)
	bound("WindowBytes", c.WindowBytes, 1, math.MaxInt32)
	bound("MaxDetached", c.MaxDetached, 1, 1<<16)
	bound("MaxConnections", c.MaxConnections, 1, math.MaxInt32)
	bound("MaxFrame", c.MaxFrame, 16, 1<<30)
	bound("ReadBuffer", c.ReadBuffer, 64, 1<<30)
	bound("WriteBuffer", c.WriteBuffer, 64, 1<<30)
	bound("ReceiveBuffer", c.ReceiveBuffer, 0, 1<<30)
	bound("SendBuffer", c.SendBuffer, 0, 1<<30)
	atLeast("Deadline", c.Deadline, time.Millisecond)
	atLeast("Stall", c.Stall, time.Millisecond)
	atLeast("Drain", c.Drain, time.Millisecond)
	atLeast("Grace", c.Grace, time.Millisecond)
	atLeast("Linger", c.Linger, time.Millisecond)
	atLeast("WriteTimeout", c.WriteTimeout, time.Millisecond)
	table, err := c.Service.build()
	if err != nil {
		errs = append(errs, err)
	}
	for _, l := range c.Listen {
		u, err := transport.ParseURL(l)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("config: Listen: %w", err))
		case u.Framing == transport.Unframed && table != nil && table.Framed():
			errs = append(errs, fmt.Errorf("config: Listen: url %q: the service's envelopes have fields outside their oneof, and cannot be told apart without frames", l))
		}
	}
	if _, err := c.faults(); err != nil {
		errs = append(errs, fmt.Errorf("config: Faults: %w", err))
	}
	return errors.Join(errs...)
}

// faults returns nil if there are none.
func (c Config) faults() (*fault.Injector, error) {
	var specs []fault.Spec
	var errs []error
	for _, f := range c.Faults {
		spec, err := fault.Parse(f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		specs = append(specs, spec)
	}
	if len(errs) > 0 || len(specs) == 0 {
		return nil, errors.Join(errs...)
	}
	if !actors.Seams {
		return nil, errors.New("this program was built without a place for faults (with the tag nofaults)")
	}
	return fault.New(specs...), nil
}

// settings is what the actors are told. c has its defaults.
func (c Config) settings() actors.Settings {
	return actors.Settings{
		Workers:        c.Workers,
		MaxWorkers:     c.MaxWorkers,
		Routing:        actors.Routing(c.Routing),
		Retries:        max(c.Retries, 0),
		CheckBorrowed:  c.CheckBorrowed,
		Queue:          c.Queue,
		Window:         c.Window,
		WindowBytes:    c.WindowBytes,
		MaxConnections: c.MaxConnections,
		MaxFrame:       c.MaxFrame,
		ReadBuffer:     c.ReadBuffer,
		WriteBuffer:    c.WriteBuffer,
		Deadline:       c.Deadline,
		Stall:          c.Stall,
		MaxDetached:    c.MaxDetached,
		Drain:          c.Drain,
		Expire:         min(c.Drain/2, 500*time.Millisecond),
		Grace:          c.Grace,
		Linger:         c.Linger,
		WriteTimeout:   c.WriteTimeout,
		Read: transport.Timeouts{
			FirstByte: max(c.FirstByteTimeout, 0),
			Idle:      max(c.IdleTimeout, 0),
			Frame:     max(c.FrameTimeout, 0),
			Rest:      restAfter,
		},
		SessionBudget: supervisor.Budget{Intensity: 10, Period: 10 * time.Second},
		WorkerBudget:  supervisor.Budget{Intensity: 10, Period: 10 * time.Second},
		ServerBudget:  supervisor.Budget{Intensity: 3, Period: 10 * time.Second},
		Backoff:       supervisor.Backoff{Min: time.Millisecond, Max: 100 * time.Millisecond, Healthy: 100 * time.Millisecond},
	}
}

func (c Config) options() transport.Options {
	return transport.Options{
		KeepAlive: c.KeepAlive, Delay: c.Delay, ReceiveBuffer: c.ReceiveBuffer, SendBuffer: c.SendBuffer,
	}
}
