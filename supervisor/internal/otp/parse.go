package otp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Parse reads cases in Format's form, and validates them. An error names the line.
func Parse(text string) ([]Case, error) {
	p := &parser{}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	for i := range p.cases {
		if p.cases[i].Spec == nil {
			return nil, fmt.Errorf("%s: no tree", p.cases[i].Name)
		}
		if err := p.cases[i].Validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", p.cases[i].Name, err)
		}
	}
	return p.cases, nil
}

type parser struct {
	cases []Case
	path  []*Spec // the supervisors that the next line of the tree may be in, outermost first
}

var (
	errForm   = errors.New("not in the form of a case, a child, a step or an event")
	errPlace  = errors.New("not expected here")
	errIndent = errors.New("wrong indentation")
)

func (p *parser) line(line string) error {
	line = strings.TrimRight(line, " ")
	indent := len(line) - len(strings.TrimLeft(line, " "))
	words := strings.Fields(line)
	switch {
	case len(words) == 0 || words[0][0] == '#':
		return nil
	case words[0] == "--":
		p.cases = append(p.cases, Case{Name: strings.Join(words[1:], " ")})
		p.path = nil
		return nil
	case len(p.cases) == 0:
		return errPlace
	case words[0] == "worker" || words[0] == "supervisor":
		return p.child(indent, words)
	case words[0] == ">":
		return p.step(words[1:])
	default:
		return p.event(words)
	}
}

func (p *parser) child(indent int, words []string) error {
	c, err := parseChild(words)
	last := &p.cases[len(p.cases)-1]
	depth := indent / 2
	switch {
	case err != nil:
		return err
	case indent%2 != 0 || depth > len(p.path):
		return errIndent
	case len(last.Steps) > 0 || (depth == 0) != (last.Spec == nil):
		return errPlace
	case depth == 0 && (c.Name != Root || c.Supervisor == nil):
		return errors.New("a tree begins with the supervisor root")
	case depth == 0:
		last.Spec = c.Supervisor
		p.path = []*Spec{c.Supervisor}
		return nil
	}
	parent := p.path[depth-1]
	parent.Children = append(parent.Children, c)
	p.path = p.path[:depth]
	if c.Supervisor != nil {
		p.path = append(p.path, c.Supervisor)
	}
	return nil
}

func parseChild(words []string) (Child, error) {
	if len(words) < 2 || words[0] != "worker" && words[0] != "supervisor" {
		return Child{}, errForm
	}
	c := Child{Name: words[1]}
	if words[0] == "supervisor" {
		c.Supervisor = &Spec{}
	}
	for _, w := range words[2:] {
		key, value, _ := strings.Cut(w, "=")
		if err := c.set(key, value); err != nil {
			return c, fmt.Errorf("%s: %s: %w", c.Name, w, err)
		}
	}
	return c, nil
}

func (c *Child) set(key, value string) (err error) {
	s := c.Supervisor
	switch {
	case key == "restart":
		c.Restart = Restart(value)
	case key == "shutdown":
		c.Shutdown, err = parseShutdown(value)
	case key == "significant" && value == "true":
		c.Significant = true
	case key == "onstop" && s == nil:
		c.OnStop = value
	case key == "strategy" && s != nil:
		s.Strategy = Strategy(value)
	case key == "intensity" && s != nil:
		s.Intensity, err = strconv.Atoi(value)
	case key == "period" && s != nil:
		s.Period, err = parseSeconds(value)
	case key == "auto_shutdown" && s != nil:
		s.AutoShutdown = AutoShutdown(value)
	default:
		err = errForm
	}
	return err
}

func parseShutdown(value string) (Shutdown, error) {
	switch value {
	case "brutal_kill":
		return BrutalKill, nil
	case "infinity":
		return Infinity, nil
	}
	ms, err := strconv.ParseInt(value, 10, 32)
	if err == nil && ms <= 0 {
		err = errForm
	}
	return Shutdown(time.Duration(ms) * time.Millisecond), err
}

func parseSeconds(value string) (time.Duration, error) {
	n, err := strconv.ParseInt(value, 10, 32)
	return time.Duration(n) * time.Second, err
}

func (p *parser) step(words []string) error {
	last := &p.cases[len(p.cases)-1]
	if last.Spec == nil {
		return errPlace
	}
	var step Step
	for part := range strings.SplitSeq(strings.Join(words, " "), " & ") {
		a, err := parseAction(strings.Fields(part))
		if err != nil {
			return err
		}
		step = append(step, a)
	}
	last.Steps = append(last.Steps, step)
	last.Trace = append(last.Trace, nil)
	return nil
}

func parseAction(words []string) (a Action, err error) {
	if len(words) == 0 {
		return a, errForm
	}
	a.Op, words = Op(words[0]), words[1:]
	n := len(words)
	switch {
	case (a.Op == Start || a.Op == Stop) && n == 0:
	case a.Op == Exit && n == 2:
		a.Name, a.Reason = words[0], words[1]
	case a.Op == Fail && (n == 2 || n > 3 && words[2] == "with"):
		a.Name = words[0]
		a.Times, err = strconv.Atoi(words[1])
		if err == nil && n > 3 {
			var with Action
			with, err = parseAction(words[3:])
			a.With = &with
		}
	case a.Op == Wait && n == 1:
		a.Wait, err = parseSeconds(words[0])
	case a.Op == WhichChildren && n == 1:
		a.Supervisor = words[0]
	case (a.Op == StartChild || a.Op == TerminateChild || a.Op == RestartChild || a.Op == DeleteChild) && n == 2:
		a.Supervisor, a.Name = words[0], words[1]
	case a.Op == StartChild && n > 2:
		var c Child
		c, err = parseChild(words[1:])
		a.Supervisor, a.Name, a.Child = words[0], c.Name, &c
	default:
		err = errForm
	}
	return a, err
}

func (p *parser) event(words []string) error {
	last := &p.cases[len(p.cases)-1]
	e := Event{Kind: Kind(words[0])}
	switch {
	case len(last.Trace) == 0:
		return errPlace
	case len(words) == 2 && (e.Kind == Started || e.Kind == Failed):
		e.Name = words[1]
	case len(words) == 3 && (e.Kind == Stopped || e.Kind == Exited || e.Kind == Replied):
		e.Name, e.Reason = words[1], words[2]
	default:
		return errForm
	}
	at := &last.Trace[len(last.Trace)-1]
	*at = append(*at, e)
	return nil
}
