package otp

import (
	"fmt"
	"math"
	"time"
)

// Strategy is a supervisor's restart strategy, in OTP's words.
type Strategy string

// The four strategies (stdlib, supervisor(3): "Supervision Principles").
const (
	OneForOne       Strategy = "one_for_one"
	OneForAll       Strategy = "one_for_all"
	RestForOne      Strategy = "rest_for_one"
	SimpleOneForOne Strategy = "simple_one_for_one"
)

// Restart is a child's restart type.
type Restart string

// The three restart types (supervisor(3), type restart()). The empty Restart is Permanent.
const (
	Permanent Restart = "permanent"
	Transient Restart = "transient"
	Temporary Restart = "temporary"
)

// AutoShutdown says whether the end of significant children ends their supervisor.
type AutoShutdown string

// The three values of auto_shutdown (supervisor(3), type auto_shutdown()). The empty AutoShutdown is Never.
const (
	Never          AutoShutdown = "never"
	AnySignificant AutoShutdown = "any_significant"
	AllSignificant AutoShutdown = "all_significant"
)

// Shutdown is how long a supervisor waits for a child that it told to stop, before it kills it. Zero is OTP's default: five seconds for a
// worker, for ever for a supervisor.
type Shutdown time.Duration

const (
	BrutalKill Shutdown = -1            // do not tell, kill
	Infinity   Shutdown = math.MaxInt64 // wait for ever
)

// Reasons that the rules tell apart; every other word is an abnormal reason. {shutdown,…} with any word in it counts as shutdown.
const (
	Normal       = "normal"
	ShutdownStop = "shutdown"
	Killed       = "killed"
)

// Hang as a worker's OnStop: it does not end when it is told to, and must be killed.
const Hang = "hang"

// Root is the name of the supervisor at the top.
const Root = "root"

// Spec is what a supervisor's init callback returns: its flags and its children.
type Spec struct {
	Strategy     Strategy
	Intensity    int           // restarts allowed within Period; 0 allows none
	Period       time.Duration // whole seconds, at least one
	AutoShutdown AutoShutdown
	Children     []Child // in start order; exactly one worker, the template, for SimpleOneForOne
}

// Child is a child specification. Names are unique in the whole tree.
type Child struct {
	Name        string
	Restart     Restart
	Shutdown    Shutdown
	Significant bool
	OnStop      string // workers: the reason they end with when told to stop; empty: shutdown
	Supervisor  *Spec  // nil: a worker
}

func (c Child) restart() Restart {
	if c.Restart == "" {
		return Permanent
	}
	return c.Restart
}

func (c Child) shutdown() Shutdown {
	switch {
	case c.Shutdown != 0:
		return c.Shutdown
	case c.Supervisor != nil:
		return Infinity
	default:
		return Shutdown(5 * time.Second)
	}
}

// Validate refuses what OTP refuses, and what the model does not cover: names used twice, supervisors below a simple_one_for_one
// supervisor, supervisors that may be killed while they stop (whose children would then die in no defined order), and workers that hang
// for ever.
func (s *Spec) Validate() error { return s.validate(Root, map[string]bool{Root: true}) }

func (s *Spec) validate(name string, seen map[string]bool) error {
	switch s.Strategy {
	case OneForOne, OneForAll, RestForOne:
	case SimpleOneForOne:
		if len(s.Children) != 1 || s.Children[0].Supervisor != nil {
			return fmt.Errorf("%s: a simple_one_for_one supervisor needs exactly one child, a worker", name)
		}
	default:
		return fmt.Errorf("%s: unknown strategy %q", name, s.Strategy)
	}
	switch s.AutoShutdown {
	case "", Never, AnySignificant, AllSignificant:
	default:
		return fmt.Errorf("%s: unknown auto_shutdown %q", name, s.AutoShutdown)
	}
	if s.Intensity < 0 || s.Period < time.Second || s.Period%time.Second != 0 {
		return fmt.Errorf("%s: intensity %d, period %v: want at least 0, and whole seconds", name, s.Intensity, s.Period)
	}
	for _, c := range s.Children {
		if seen[c.Name] {
			return fmt.Errorf("%s: the name %s is used twice", name, c.Name)
		}
		seen[c.Name] = true
		if !s.significant(c) {
			return fmt.Errorf("%s: %s cannot be significant here", name, c.Name)
		}
		if err := c.validate(seen); err != nil {
			return err
		}
	}
	return nil
}

// significant is OTP's check of bad combinations (supervisor(3), type child_spec()): a significant child is not permanent, and its
// supervisor's auto_shutdown not never.
func (s *Spec) significant(c Child) bool {
	return !c.Significant || c.restart() != Permanent && s.AutoShutdown != "" && s.AutoShutdown != Never
}

func (c Child) validate(seen map[string]bool) error {
	switch c.Restart {
	case "", Permanent, Transient, Temporary:
	default:
		return fmt.Errorf("%s: unknown restart type %q", c.Name, c.Restart)
	}
	switch {
	case c.Supervisor == nil && c.OnStop == Hang && c.shutdown() == Infinity:
		return fmt.Errorf("%s: would hang for ever", c.Name)
	case c.Supervisor == nil:
		return nil
	case c.shutdown() != Infinity || c.OnStop != "":
		return fmt.Errorf("%s: a supervisor is given infinity to stop, and stops with shutdown", c.Name)
	}
	return c.Supervisor.validate(c.Name, seen)
}
