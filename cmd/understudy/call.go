package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
)

// callCommand sends one request.
type callCommand struct {
	Echo echoCommand `cmd:"" help:"Have TEXT sent back."`
	Add  addCommand  `cmd:"" help:"Have A and B added."`
}

// callFlags are the flags that every request has.
type callFlags struct {
	Addr    string        `default:"${listen}" placeholder:"URL" help:"The server's URL, as serve prints it."`
	Output  string        `short:"o" default:"text" enum:"text,json" help:"How to print the reply: text or json."`
	Timeout time.Duration `default:"10s" help:"Give up after so long."`
}

type echoCommand struct {
	Text      string `arg:"" help:"What to send."`
	callFlags `embed:""`
}

type addCommand struct {
	A         int32 `arg:"" help:"A 32-bit integer."`
	B         int32 `arg:"" help:"A 32-bit integer."`
	callFlags `embed:""`
}

// Run implements the command.
func (c *echoCommand) Run(s streams) error {
	return c.callFlags.run(func(ctx context.Context, to *client.Client) error {
		reply, err := client.Call[messages.EchoMessage](ctx, to, &messages.EchoMessage{Content: c.Text})
		if err != nil {
			return err
		}
		return c.print(s, reply.GetContent(), map[string]any{"content": reply.GetContent()})
	})
}

// Run implements the command.
func (c *addCommand) Run(s streams) error {
	return c.callFlags.run(func(ctx context.Context, to *client.Client) error {
		reply, err := client.Call[messages.AddResponse](ctx, to, &messages.AddRequest{A: c.A, B: c.B})
		if err != nil {
			return err
		}
		return c.print(s, reply.GetResult(), map[string]any{"result": reply.GetResult()})
	})
}

func (f *callFlags) run(call func(context.Context, *client.Client) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), f.Timeout)
	defer cancel()
	// One try: who calls wants to see what the server says.
	to, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](ctx, f.Addr, client.Options{Retries: -1})
	if unreachable, ok := errors.AsType[*client.DialError](err); ok {
		return unreachableError(unreachable)
	}
	if err != nil {
		return usage(err)
	}
	defer to.Close()
	err = call(ctx, to)
	if status, ok := errors.AsType[*messages.Status](err); ok {
		return fmt.Errorf("%s: %s", f.Addr, strings.TrimPrefix(status.Error(), "call: "))
	}
	return err
}

func unreachableError(err *client.DialError) error {
	return &exitError{exitUnreachable, fmt.Errorf("%w (is a server running there? understudy serve starts one)", err)}
}

func (f *callFlags) print(s streams, text any, object map[string]any) error {
	if f.Output == "json" {
		return json.NewEncoder(s.out).Encode(object)
	}
	_, err := fmt.Fprintln(s.out, text)
	return err
}

// shieldNumbers lets negative numbers be arguments: in `call add`, they would be taken for flags. What looks like a
// number goes to the end, behind a "--".
func shieldNumbers(args []string) []string {
	if len(args) < 2 || args[0] != "call" || args[1] != "add" {
		return args
	}
	var others, numbers []string
	for i := 2; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			numbers = append(numbers, args[i+1:]...)
			i = len(args)
		case len(arg) > 1 && arg[0] == '-' && arg[1] >= '0' && arg[1] <= '9', !strings.HasPrefix(arg, "-") && !takesValue(args[i-1]):
			numbers = append(numbers, arg)
		default:
			others = append(others, arg)
		}
	}
	shielded := append([]string{"call", "add"}, others...)
	if len(numbers) > 0 {
		shielded = append(append(shielded, "--"), numbers...)
	}
	return shielded
}

// takesValue says whether the word before an argument claims it.
func takesValue(word string) bool {
	return word == "--addr" || word == "--output" || word == "-o" || word == "--timeout"
}
