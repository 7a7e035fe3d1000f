package measure

import (
	"context"

	"github.com/understudy-go/understudy/bench/internal/process"
	"github.com/understudy-go/understudy/bench/internal/rpcload"
)

// GRPC is a closed loop of echoes for the gRPC peer.
type GRPC struct {
	Streaming   bool // one stream a connection; otherwise unary calls, Depth at once
	Connections int
	Depth       int // requests in flight on a connection
	Size        int // bytes of an echo's content
}

// Run implements Load.
func (l GRPC) Run(ctx context.Context, s *process.Server, t Times) (Figures, error) {
	m := meter{server: s}
	err := rpcload.Run(ctx, rpcload.Config{
		Address:     s.URL.Address,
		Streaming:   l.Streaming,
		Connections: l.Connections,
		Depth:       l.Depth,
		Size:        l.Size,
		Warmup:      t.Warmup,
		Duration:    t.Duration,
		Mark:        m.mark,
	})
	if err != nil {
		return none(), err
	}
	return m.figures()
}
