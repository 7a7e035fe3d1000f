package understudy

import (
	"log/slog"
	"math"
	"runtime"
	"syscall"
	"time"

	"github.com/understudy-go/understudy/actors"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
)

// The defaults: what a zero field of a [Config] means. Those that depend on the machine — Workers, MaxWorkers, MaxConnections —
// have none here; the fields say what they are.
const (
	DefaultListen       = "tcp://127.0.0.1:7070" // Config.Listen: one URL, on this machine only, with delimited framing
	DefaultQueue        = 256 << 10              // Config.Queue, in requests: 262,144
	DefaultWindow       = 1024                   // Config.Window, in requests of a connection
	DefaultWindowBytes  = 1 << 20                // Config.WindowBytes, in bytes of a connection: 1 MiB
	DefaultMaxFrame     = 4 << 20                // Config.MaxFrame, in bytes of a request: 4 MiB
	DefaultReadBuffer   = 64 << 10               // Config.ReadBuffer, in bytes: 64 KiB
	DefaultWriteBuffer  = 64 << 10               // Config.WriteBuffer, in bytes: 64 KiB
	DefaultDeadline     = 5 * time.Second        // Config.Deadline, from a request's arrival
	DefaultStall        = 50 * time.Millisecond  // Config.Stall, of one call of a handler
	DefaultMaxDetached  = 1024                   // Config.MaxDetached, in calls of handlers
	DefaultRetries      = 2                      // Config.Retries, in calls after the first
	DefaultDrain        = 10 * time.Second       // Config.Drain, of the whole server
	DefaultGrace        = 6 * time.Second        // Config.Grace, from a peer's half-close
	DefaultLinger       = 2 * time.Second        // Config.Linger, from the last reply
	DefaultFirstByte    = 30 * time.Second       // Config.FirstByteTimeout
	DefaultIdle         = 10 * time.Minute       // Config.IdleTimeout
	DefaultFrameTimeout = 30 * time.Second       // Config.FrameTimeout, of one request
	DefaultWriteTimeout = 30 * time.Second       // Config.WriteTimeout, of one WriteBuffer
	DefaultKeepAlive    = 15 * time.Second       // Config.KeepAlive
)

// workersLimit is the largest number of workers.
const workersLimit = 4096

// maxRetries bounds Retries: each costs a worker's restart.
const maxRetries = 100

// restAfter is how long a connection must be silent, at first, before its reader goroutine gives way to one with a small stack.
const restAfter = 20 * time.Millisecond

// reservedFiles is how many descriptors are kept back from connections: listeners, logs, the runtime's own.
const reservedFiles = 64

// Config says how a server is to be. The zero value works: it serves [EchoAdd] on [DefaultListen]. Every zero field means its
// default. [New] validates it, and keeps a copy: what is changed afterwards changes nothing. Sizes are in bytes; times must be at
// least a millisecond, but where negative ones have a meaning. docs/configuration.md has it as a table, with what happens at each
// bound.
type Config struct {
	// Listen are the URLs to listen on: tcp://host:port or unix:///path, with an optional ?framing=delimited, length32 or
	// unframed. Port 0 picks one, which [Server.URLs] tells. None means [DefaultListen].
	Listen []string
	// Service handles the requests. nil means [EchoAdd]. It must not be changed any more.
	Service Handlers
	// Logger gets what the server has to say: failures and what was decided about them, up to 20 in a second and the number of those
	// left out; at debug level restarts too. nil means that it says nothing. One goroutine calls it, and no request waits for
	// it; the server's end does. What it panics on is lost, and so is what comes while 256 failures wait for it.
	Logger *slog.Logger

	// Workers is how many requests can be handled at once, and at the least: as many workers there always are. Handlers that have
	// stalled do not count: those are replaced, see Stall and MaxDetached. It is at most 4096. 0 means eight for each processor.
	Workers int
	// MaxWorkers is to how many workers the pool may grow while requests wait, from Workers to 4096; it shrinks again when half of
	// the workers would do. 0 means 64 for each processor if Workers is 0 too, else Workers: then the pool never changes its size.
	// Handlers that wait for something else gain by more workers, handlers that compute do not.
	MaxWorkers int
	// Routing says which idle worker gets requests. The zero value is [FirstIdle].
	Routing Routing
	// Queue is how many requests may wait for a worker, and how many actors may have been asked and not have responded; a
	// request more is answered with RESOURCE_EXHAUSTED. 0 means [DefaultQueue].
	Queue int
	// Window is how many requests of one connection may be in flight: decoded, with a reply that is not written. While as many are,
	// the connection is not read, and TCP holds its peer back. It is at most 1<<20. 0 means [DefaultWindow].
	Window int
	// WindowBytes is how many bytes of requests and replies of one connection may be in flight; at as many it is not read. It is
	// soft: the last request and its reply may go over it. What is pushed may come to as much again. 0 means [DefaultWindowBytes].
	WindowBytes int
	// MaxConnections is how many connections there may be; one more is told RESOURCE_EXHAUSTED, and closed. 0 means as many as the
	// process may have files, less 64 for what else it opens, and at least 64.
	MaxConnections int
	// MaxFrame is how many bytes a request may have, without the header that its framing puts before it. A longer one is answered
	// with RESOURCE_EXHAUSTED before it has come, and its connection is closed. It is from 16 to 1<<30. 0 means [DefaultMaxFrame].
	MaxFrame int
	// ReadBuffer is how many bytes one read takes at most; a request that is longer gets a buffer of its own. A connection at
	// rest has none. It is from 64 to 1<<30. 0 means [DefaultReadBuffer].
	ReadBuffer int
	// WriteBuffer is up to how many bytes short replies are joined for one write. A connection at rest has none. It is from 64 to
	// 1<<30. 0 means [DefaultWriteBuffer].
	WriteBuffer int

	// Deadline is how long a request may take from its arrival, waiting included; then it is answered with DEADLINE_EXCEEDED, kept
	// to within a fifth of Stall. A handler may have another one, by the option [Deadline]. 0 means [DefaultDeadline].
	Deadline time.Duration
	// Stall is how long a handler may run before its worker is taken out of the pool, and the requests that arrived with
	// this one are given to others. The handler goes on until its deadline; a substitute takes the worker's place. 0 means
	// [DefaultStall].
	Stall time.Duration
	// MaxDetached is how many calls of handlers may have stalled at once. When as many have not returned, a handler of which
	// calls are among them answers UNAVAILABLE; other handlers are served, and as many of their calls as there are workers may
	// stall on top of that. It is at most 1<<16. 0 means [DefaultMaxDetached].
	MaxDetached int
	// Retries is how often an [Idempotent] handler is called again for a request with which it crashed, at most 100. Negative means
	// never. 0 means [DefaultRetries].
	Retries int
	// Drain is how long an orderly end may take. Half a second before its end (or at half of it, if it is shorter than
	// a second) what is unanswered is answered with UNAVAILABLE; at its end the server ends by force. 0 means [DefaultDrain].
	Drain time.Duration
	// Grace is how long replies may take after a peer has half-closed; what is unanswered then gets UNAVAILABLE. 0 means
	// [DefaultGrace].
	Grace time.Duration
	// Linger is how long a peer that is closed may take to close, too, after it got the last reply. 0 means [DefaultLinger].
	Linger time.Duration

	// FirstByteTimeout ends a connection on which nothing comes. Negative means no limit but IdleTimeout's. 0 means
	// [DefaultFirstByte].
	FirstByteTimeout time.Duration
	// IdleTimeout ends a connection on which nothing comes between two requests while none is in flight. Negative means no limit.
	// 0 means [DefaultIdle].
	IdleTimeout time.Duration
	// FrameTimeout ends a connection that begins a request and does not end it in time, however many bytes come. Negative means no
	// limit. 0 means [DefaultFrameTimeout].
	FrameTimeout time.Duration
	// WriteTimeout ends a connection that takes no WriteBuffer of replies for so long. 0 means [DefaultWriteTimeout]; there is
	// always a limit.
	WriteTimeout time.Duration

	// KeepAlive is how long a TCP connection is silent before the kernel asks whether the peer is there. Negative means that it does
	// not. 0 means [DefaultKeepAlive].
	KeepAlive time.Duration
	// Delay lets the kernel collect small writes (no TCP_NODELAY). false is right for whoever waits for replies.
	Delay bool
	// ReceiveBuffer is the size of a socket's buffer in the kernel for what arrives (SO_RCVBUF, of which Linux takes twice as much),
	// up to 1<<30. 0 leaves it to the kernel.
	ReceiveBuffer int
	// SendBuffer is that of the buffer for what leaves (SO_SNDBUF).
	SendBuffer int

	// CheckBorrowed has handlers that are registered as [Borrowing] watched, for tests and for looking for a fault: one that
	// writes to its message has the request answered INTERNAL; one that keeps it, or its context, finds it overwritten, and is
	// named in the log when the garbage collector has run twice, or at the server's end. It costs some microseconds a request.
	CheckBorrowed bool

	// Faults are injected into the server, for experiments. Each is a line KIND TARGET [key=value]…, such as "panic worker/*
	// p=0.01 seed=7". Of the kinds, panic strikes any target: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N,
	// pool; slow, which needs delay=D, and hang, with for=D or until the server's end, strike workers. p is the chance of each
	// request (on other actors: message), after how many are spared first, count how many are struck at most, seed which ones;
	// every=D has panic strike by the clock. nil means none. [Server.Struck] counts.
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
