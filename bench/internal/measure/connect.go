package measure

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-go/understudy/bench/internal/process"
)

// Connect connects, sends one echo, checks its reply, closes, and begins anew, on so many goroutines at once.
type Connect struct {
	Clients int
	Size    int // bytes of an echo's content
	Seed    uint64
}

// sources is how many addresses of the loopback network connections come from. A port stays in TIME_WAIT for a minute after
// its connection; 28,000 ports of one address would be used up after a few seconds.
const sources = 200

// Run implements Load.
func (l Connect) Run(ctx context.Context, s *process.Server, t Times) (Figures, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	all := newExchanges(512, 1, l.Size, l.Seed)
	var connections, number atomic.Int64
	var stop atomic.Bool
	var clients sync.WaitGroup
	for range l.Clients {
		clients.Go(func() {
			var buf []byte
			var err error
			for !stop.Load() {
				if buf, err = once(ctx, s.URL.Address, int(number.Add(1)), all, buf); err != nil {
					cancel(err)
					return
				}
				connections.Add(1)
			}
		})
	}
	m := meter{server: s}
	if sleep(ctx, t.Warmup) {
		m.mark(connections.Load())
		if sleep(ctx, t.Duration) {
			m.mark(connections.Load())
		}
	}
	stop.Store(true)
	clients.Wait()
	if err := context.Cause(ctx); err != nil {
		return none(), err
	}
	return m.figures()
}

// once is the life of connection number i.
func once(ctx context.Context, address string, i int, all exchanges, buf []byte) ([]byte, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%sources))}, Control: portLater}
	nc, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return buf, err
	}
	defer nc.Close()
	if buf, err = all.exchange(nc, i, buf); err != nil {
		return buf, err
	}
	return buf, finish(nc)
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
