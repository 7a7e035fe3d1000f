// Command understudy serves Echo and Add over TCP on supervised actors, and calls such a server.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

const description = `A TCP server built of actors: it keeps answering while parts of it crash.

Try it, in two terminals:

  understudy serve
  understudy call add 2 40

Exit status: 0 clean, 1 failure, 2 usage or configuration, 3 a threshold missed, 4 cannot reach the server; 130 and 143 when a second SIGINT or SIGTERM forced the end.`

// program is the command line: one subcommand a file.
type program struct {
	Serve   serveCommand   `cmd:"" help:"Serve Echo and Add until a signal drains the server."`
	Call    callCommand    `cmd:"" help:"Send one request and print the reply."`
	Bench   benchCommand   `cmd:"" help:"Put a server under load, and measure it."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// streams are where a command reads and writes.
type streams struct {
	out, err io.Writer
}

func main() {
	os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// run is main with its surroundings passed in; it returns the exit status.
func run(args []string, s streams) int {
	var p program
	exited, status := false, 0
	parser, err := kong.New(&p,
		kong.Name("understudy"),
		kong.Description(description),
		kong.Writers(s.out, s.err),
		kong.Bind(s),
		defaults(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { exited, status = true, code }),
	)
	if err != nil {
		return report(s, err)
	}
	ctx, err := parser.Parse(shieldNumbers(args))
	if exited {
		return status // --help was asked for
	}
	if err != nil {
		return report(s, usage(fmt.Errorf("%w (understudy --help shows what there is)", err)))
	}
	return report(s, ctx.Run())
}

// exitError is an error with an exit status of its own.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// The exit statuses; any other failure is 1.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitMissed      = 3
	exitUnreachable = 4
)

func usage(err error) error { return &exitError{exitUsage, err} }

// report says what went wrong, in one line, and returns the exit status.
func report(s streams, err error) int {
	if err == nil {
		return 0
	}
	status := exitFailure
	if e, ok := errors.AsType[*exitError](err); ok {
		status = e.status
	}
	if text := strings.ReplaceAll(err.Error(), "\n", "; "); text != "" {
		fmt.Fprintln(s.err, "understudy:", text)
	}
	return status
}
