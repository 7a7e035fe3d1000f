package measure

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/understudy-go/understudy/bench/internal/process"
)

// Deaf is a load beside which one more connection sends echoes as fast as the server takes them, and never reads a reply.
type Deaf struct{ Loop }

// fullAfter is how long a write must be stuck to say that the server has stopped reading.
const fullAfter = 300 * time.Millisecond

// Run implements Load. The figures are those of the connections that read.
func (l Deaf) Run(ctx context.Context, s *process.Server, t Times) (Figures, error) {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", s.URL.Address)
	if err != nil {
		return none(), err
	}
	written := make(chan error, 1)
	full := make(chan struct{})
	var flooding sync.WaitGroup
	flooding.Go(func() { written <- flood(nc, newExchanges(1, l.Depth, l.Size, l.Seed)[0].requests, full) })
	select {
	case <-full:
	case err = <-written:
	case <-ctx.Done():
		err = ctx.Err()
	}
	f := none()
	if err == nil {
		f, err = l.Loop.Run(ctx, s, t)
	}
	nc.Close()
	flooding.Wait() // written has room for what it says now: that it was cut off
	return f, err
}

// flood writes until the connection is closed. It closes full when the other end takes no more.
func flood(nc net.Conn, requests []byte, full chan<- struct{}) error {
	if err := nc.SetWriteDeadline(time.Now().Add(fullAfter)); err != nil {
		return err
	}
	at := 0
	for {
		n, err := nc.Write(requests[at:])
		at = (at + n) % len(requests)
		switch {
		case err == nil && full != nil:
			if err := nc.SetWriteDeadline(time.Now().Add(fullAfter)); err != nil {
				return err
			}
		case errors.Is(err, os.ErrDeadlineExceeded) && full != nil:
			close(full)
			full = nil
			if err := nc.SetWriteDeadline(time.Time{}); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
}
