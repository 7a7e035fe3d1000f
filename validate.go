package understudy

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/understudy-go/understudy/actors"
	"github.com/understudy-go/understudy/internal/fault"
	"github.com/understudy-go/understudy/transport"
)

// Validate reports everything that is wrong with c and its service, joined ([errors.Join]): each error names the field, its
// value, and the bound. nil is a configuration that [New] takes; whether a port is free is seen only when the server listens. The
// service must not be changed after it. It starts nothing.
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
	bound("Retries", max(c.Retries, -1), -1, maxRetries)
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
