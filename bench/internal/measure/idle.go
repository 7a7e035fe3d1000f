package measure

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-go/understudy/bench/internal/process"
)

// Idle opens connections, sends a burst of echoes on each and checks the replies, lets all of them rest, and looks at how
// much more memory the server has than before.
type Idle struct {
	Connections int
	Depth       int // echoes in the burst
	Size        int // bytes of an echo's content
	Seed        uint64
}

// openers is how many connections are opened, and speak, at once.
const openers = 64

// Run implements Load.
func (l Idle) Run(ctx context.Context, s *process.Server, t Times) (Figures, error) {
	all := newExchanges(512, l.Depth, l.Size, l.Seed)
	// One connection first: what a server sets up once, for whoever comes first, is not a connection's.
	first, err := open(ctx, s.URL.Address, 0, all)
	if err != nil {
		return none(), err
	}
	first.Close()
	before, err := s.Resident()
	if err != nil {
		return none(), err
	}
	conns := make([]net.Conn, l.Connections)
	defer func() {
		for _, nc := range conns {
			if nc != nil {
				nc.Close()
			}
		}
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var opening sync.WaitGroup
	for range openers {
		opening.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(conns); i = int(next.Add(1)) - 1 {
				nc, err := open(ctx, s.URL.Address, i, all)
				if err != nil {
					cancel(fmt.Errorf("connection %d of %d: %w", i+1, len(conns), err))
					return
				}
				conns[i] = nc
			}
		})
	}
	opening.Wait()
	if !sleep(ctx, t.Idle) {
		return none(), context.Cause(ctx)
	}
	after, err := s.Resident()
	if err != nil {
		return none(), err
	}
	for i, nc := range conns {
		if err := finish(nc); err != nil {
			return none(), fmt.Errorf("connection %d of %d: %w", i+1, len(conns), err)
		}
	}
	f := none()
	f.Memory = float64(after-before) / float64(l.Connections)
	return f, nil
}

// open returns a connection that has been answered.
func open(ctx context.Context, address string, i int, all exchanges) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if _, err := all.exchange(nc, i, nil); err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

// sleep reports false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
