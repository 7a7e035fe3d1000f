package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/internal/load"
	"github.com/understudy-go/understudy/transport"
)

// benchCommand makes a load and measures what the server does with it.
type benchCommand struct {
	Addr        string        `default:"${listen}" placeholder:"URL" help:"The server's URL, as serve prints it."`
	Connections int           `short:"c" default:"64" placeholder:"CONNS" help:"Open so many connections."`
	Depth       int           `short:"p" placeholder:"DEPTH" help:"Keep so many requests in flight on each connection; with --rate, at most so many. Default: ${depth}, with --rate ${opendepth}."`
	Rate        float64       `placeholder:"R" help:"Send R requests a second, over all connections, whatever the server does. Without it, each reply lets another request go."`
	Arrivals    string        `default:"poisson" enum:"poisson,uniform" help:"How requests are spread over time with --rate: poisson or uniform."`
	Duration    time.Duration `short:"d" default:"10s" help:"Measure for so long."`
	Warmup      time.Duration `default:"1s" help:"Make load for so long before."`
	Grace       time.Duration `default:"5s" help:"Wait at the end for replies, at most so long."`
	Mix         load.Mix      `default:"echo=1" placeholder:"MIX" help:"What to send, by weight, such as echo=9,add=1. Default: echo=1."`
	Size        load.Sizes    `default:"32" placeholder:"SIZE" help:"Bytes of an echo: 32, 16KiB, or a range as 16-1024. Default: 32."`
	Each        int           `placeholder:"N" help:"Close a connection after N requests and open another. Not with --rate."`
	Threads     int           `placeholder:"N" help:"Make the load on N threads. Default: one for each processor."`
	Seed        uint64        `default:"1" help:"Of contents and arrivals: the same seed makes the same load."`
	Output      string        `short:"o" default:"text" enum:"text,json" help:"How to print the result: text or json."`
	Limits      limits        `embed:"" group:"Thresholds; a missed one makes the exit status 3"`
}

// Help is what `understudy bench --help` says besides the flags.
func (benchCommand) Help() string {
	return `Every reply is compared with the one that belongs in its place. With --rate, latency counts from when a request was meant to be sent, so that a server that stalls is charged for those that had to wait.

Ctrl-C ends the measurement and prints what there is. Exit status: 1 if a reply was wrong, in the wrong place or missing, 3 if a threshold was missed.`
}

// Run implements the command.
func (c *benchCommand) Run(s streams) error {
	u, err := transport.ParseURL(c.Addr)
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return usage(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer onSignals(cancel)()
	progress := newProgress(s.err, c.Duration)
	r, err := load.Run(ctx, c.config(u, progress))
	progress.clear()
	if err != nil {
		return c.failed(err)
	}
	missed := c.Limits.missed(r)
	if c.Output == "json" {
		err = c.printJSON(s, r, missed)
	} else {
		err = c.printText(s.out, r, missed)
	}
	if err != nil {
		return err
	}
	return outcome(r, missed)
}

// check refuses the zeros that a load.Config takes for its defaults.
func (c *benchCommand) check() error {
	switch {
	case c.Connections < 1:
		return fmt.Errorf("--connections is %d, and must be at least 1", c.Connections)
	case c.Duration <= 0:
		return fmt.Errorf("--duration is %v, and must be positive", c.Duration)
	case c.Grace <= 0:
		return fmt.Errorf("--grace is %v, and must be positive", c.Grace)
	}
	return nil
}

func (c *benchCommand) config(u transport.URL, p *progress) load.Config {
	mix := c.Mix
	mix.Size = c.Size
	config := load.Config{
		URL: u, Protocol: load.EchoAdd(u.Framing, mix),
		Connections: c.Connections, Depth: c.Depth, Rate: c.Rate, Each: c.Each, Threads: c.Threads, Seed: c.Seed,
		Warmup: c.Warmup, Duration: c.Duration, Grace: c.Grace, Progress: p.show,
	}
	if c.Arrivals == load.Uniform.String() {
		config.Arrivals = load.Uniform
	}
	return config
}

func (c *benchCommand) failed(err error) error {
	if unreachable, ok := errors.AsType[*client.DialError](err); ok {
		return unreachableError(unreachable)
	}
	if wrong, ok := errors.AsType[*load.ConfigError](err); ok {
		return usage(wrong)
	}
	return err
}

// outcome is the error that the result amounts to, if it does.
func outcome(r *load.Result, missed []string) error {
	switch {
	case r.Wrong+r.Misplaced+r.Surplus+r.Lost+r.Unanswered > 0:
		problem := r.Problem
		if problem == "" {
			problem = fmt.Sprintf("%d requests were not answered in time", r.Unanswered)
		}
		return errors.New(problem)
	case len(missed) > 0:
		return &exitError{exitMissed, errors.New(joined(missed))}
	}
	return nil
}

// printJSON prints one object: the result, what was asked for, and which thresholds were missed.
func (c *benchCommand) printJSON(s streams, r *load.Result, missed []string) error {
	return json.NewEncoder(s.out).Encode(struct {
		URL  string `json:"url"`
		Mix  string `json:"mix"`
		Size string `json:"size"`
		*load.Result
		Missed []string `json:"missed"`
	}{c.Addr, c.Mix.String(), c.Size.String(), r, append([]string{}, missed...)})
}

// onSignals lets the first signal end the measurement, and the second one the program. What it returns undoes that.
func onSignals(end func()) (undo func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
			end()
		case <-done:
			return
		}
		begun := time.Now()
		for {
			select {
			case second := <-signals:
				if sig, ok := second.(syscall.Signal); ok && time.Since(begun) >= sameSignal {
					os.Exit(128 + int(sig))
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}
