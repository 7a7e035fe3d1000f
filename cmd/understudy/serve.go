package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/understudy-go/understudy"
)

// serveCommand runs a server until a signal drains it.
type serveCommand struct {
	Listen         []string      `placeholder:"URL" sep:"none" help:"Listen on URL: tcp://host:port or unix:///path, with ?framing=delimited (default), length32 or unframed. Port 0 picks one. May be given more than once. Default: ${listen}."`
	Workers        int           `placeholder:"N" help:"Handle so many requests at once, not counting handlers that run for longer than 50 ms. Default: eight for each processor."`
	Deadline       time.Duration `default:"${deadline}" help:"Answer DEADLINE_EXCEEDED to a request that is not done so long after its arrival."`
	Drain          time.Duration `default:"${drain}" help:"End an orderly shutdown by force after so long."`
	MaxFrame       size          `default:"${maxframe}" help:"Refuse larger requests."`
	MaxConnections int           `placeholder:"N" help:"Refuse more connections. Default: as many as the process may have files, less 64."`
	ReadBuffer     size          `default:"${buffer}" help:"Read at most so much at once."`
	WriteBuffer    size          `default:"${buffer}" help:"Join replies up to so much for one write."`
	AllowFaults    bool          `help:"Allow --fault."`
	Fault          []string      `placeholder:"SPEC" sep:"none" help:"Inject a fault, such as 'panic worker/* p=0.01 seed=7', 'slow worker/2 delay=50ms', 'hang worker/* after=100 count=1' or 'panic session/* every=500ms'. May be given more than once."`
}

// Help is what `understudy serve --help` says besides the flags.
func (serveCommand) Help() string {
	return `When it accepts connections it prints a line "listening on URL" for each listener on standard output; logs go to standard error.

The first SIGINT, SIGTERM or SIGHUP drains the server: it stops accepting, answers what has arrived, and ends with status 0 if every request that it read was answered, else 1. A second signal ends it at once, with 130 or 143 (129 for SIGHUP).`
}

func (c *serveCommand) config() understudy.Config {
	return understudy.Config{
		Listen:         c.Listen,
		Workers:        c.Workers,
		Deadline:       c.Deadline,
		Drain:          c.Drain,
		MaxFrame:       int(c.MaxFrame),
		MaxConnections: c.MaxConnections,
		ReadBuffer:     int(c.ReadBuffer),
		WriteBuffer:    int(c.WriteBuffer),
		Faults:         c.Fault,
	}
}

// Run implements the command.
func (c *serveCommand) Run(s streams) error {
	if len(c.Fault) > 0 && !c.AllowFaults {
		return usage(errors.New("--fault makes the server fail on purpose: add --allow-faults if that is what you want"))
	}
	signal.Ignore(syscall.SIGPIPE) // a log that nobody reads any more is no reason to end
	out, logs := newPatientWriter(s.out), newPatientWriter(s.err)
	defer logs.Close()
	defer out.Close()
	config := c.config()
	config.Logger = newLogger(logs, s.err)
	server, err := understudy.New(config)
	if err != nil {
		return usage(err)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background()) }()

	<-server.Ready()
	for _, url := range server.URLs() {
		fmt.Fprintln(out, "listening on", url)
	}
	select {
	case err := <-served:
		return err
	case sig := <-signals:
		config.Logger.Info("draining", "signal", sig.String(), "at_most", config.Drain)
	}
	return c.drain(server, config.Logger, signals, served)
}

// sameSignal is how close a second signal may be to the first and still be the same wish: some tools signal a process and
// then its group.
const sameSignal = 100 * time.Millisecond

// drain shuts the server down; another signal forces it.
func (c *serveCommand) drain(server *understudy.Server, logger *slog.Logger, signals <-chan os.Signal, served <-chan error) error {
	ctx, force := context.WithCancel(context.Background())
	defer force()
	type result struct {
		report understudy.Report
		err    error
	}
	done := make(chan result, 1)
	go func() {
		r, err := server.Shutdown(ctx)
		done <- result{r, err}
	}()
	var second os.Signal
	var r result
	for begun := time.Now(); second == nil; {
		select {
		case r = <-done:
		case second = <-signals:
			if time.Since(begun) < sameSignal {
				second = nil
				continue
			}
			force()
			r = <-done
		}
		break
	}
	for _, leak := range r.report.Leaked {
		logger.Error("gave up a worker whose handler does not return", "worker", leak.Name, "stack", leak.Stack)
	}
	logger.Info("stopped", "report", r.report)
	err := <-served
	if sig, ok := second.(syscall.Signal); ok {
		return &exitError{128 + int(sig), fmt.Errorf("ended at once by a second signal (%s)", sig)}
	}
	return err
}
