package otp

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Format writes cases in the form that Parse reads: what was recorded follows each step, indented.
//
//	-- a name
//	supervisor root strategy=rest_for_one intensity=1 period=5
//	  worker a
//	  worker b restart=transient shutdown=brutal_kill
//	  supervisor s strategy=one_for_one intensity=1 period=5
//	    worker c
//	> start
//	  started a
//	  …
//	> exit b crash
//	  exited b crash
//	  …
//
// What has its default value is left out. Time is in seconds, but for the shutdown of a worker, which is in milliseconds. Lines that
// begin with # are comments.
func Format(cases []Case) string {
	var b strings.Builder
	for i, c := range cases {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "-- %s\n", c.Name)
		formatChild(&b, Child{Name: Root, Supervisor: c.Spec}, "")
		for i, s := range c.Steps {
			fmt.Fprintf(&b, "> %s\n", s)
			if i < len(c.Trace) {
				for _, e := range c.Trace[i] {
					fmt.Fprintf(&b, "  %s\n", e)
				}
			}
		}
	}
	return b.String()
}

func formatChild(b *strings.Builder, c Child, indent string) {
	fmt.Fprintf(b, "%s%s\n", indent, c)
	if c.Supervisor != nil {
		for _, child := range c.Supervisor.Children {
			formatChild(b, child, indent+"  ")
		}
	}
}

// String is the child's line, without its own children.
func (c Child) String() string {
	words := []string{"worker", c.Name}
	if c.Supervisor != nil {
		words[0] = "supervisor"
	}
	add := func(key, value, unless string) {
		if value != "" && value != unless {
			words = append(words, key+"="+value)
		}
	}
	add("restart", string(c.Restart), string(Permanent))
	add("shutdown", c.Shutdown.String(), "")
	if c.Significant {
		add("significant", "true", "")
	}
	add("onstop", c.OnStop, "")
	if s := c.Supervisor; s != nil {
		add("strategy", string(s.Strategy), "")
		add("intensity", strconv.Itoa(s.Intensity), "")
		add("period", strconv.Itoa(int(s.Period/time.Second)), "")
		add("auto_shutdown", string(s.AutoShutdown), string(Never))
	}
	return strings.Join(words, " ")
}

// String is brutal_kill, infinity, or a number of milliseconds; empty for the default.
func (s Shutdown) String() string {
	switch s {
	case 0:
		return ""
	case BrutalKill:
		return "brutal_kill"
	case Infinity:
		return "infinity"
	default:
		return strconv.FormatInt(time.Duration(s).Milliseconds(), 10)
	}
}

// String is the step's line, without the mark at its beginning.
func (s Step) String() string {
	actions := make([]string, len(s))
	for i := range s {
		actions[i] = s[i].String()
	}
	return strings.Join(actions, " & ")
}

// String is the action's words.
func (a Action) String() string {
	op := string(a.Op)
	switch a.Op {
	case Start, Stop:
		return op
	case Exit:
		return op + " " + a.Name + " " + a.Reason
	case Fail:
		line := op + " " + a.Name + " " + strconv.Itoa(a.Times)
		if a.With != nil {
			line += " with " + a.With.String()
		}
		return line
	case Wait:
		return op + " " + strconv.Itoa(int(a.Wait/time.Second))
	case WhichChildren:
		return op + " " + a.Supervisor
	}
	if a.Child != nil {
		return op + " " + a.Supervisor + " " + a.Child.String()
	}
	return op + " " + a.Supervisor + " " + a.Name
}
