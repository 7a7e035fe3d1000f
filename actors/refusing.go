package actors

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// Of the connections over the limit, so many at a time are told why; the others are just closed.
const maxRefusals = 64

const (
	refusalLinger = time.Second     // how long a refused peer may take to close
	refusalRetry  = 1 * time.Second // when it is advised to try again
)

// refusals counts the connections over the limit.
type refusals struct {
	count atomic.Int64
	open  atomic.Int64
}

// refuse tells a peer, in place of the reply to its first request, that there are too many connections.
func (s *Stage) refuse(socket *transport.Conn, framing transport.Framing) {
	s.refused.count.Add(1)
	if s.refused.open.Add(1) > maxRefusals || s.expired.Load() || s.Table.ErrorArm == nil {
		s.refused.open.Add(-1)
		socket.Close()
		return
	}
	s.Tracker.Go(func() {
		defer s.refused.open.Add(-1)
		defer socket.Close()
		stop := context.AfterFunc(s.base, func() { socket.Close() })
		defer stop()
		reply := s.encoders[framing.Name()].status(nil, 0, &messages.Status{
			Code: messages.ResourceExhausted, Message: "too many connections", RetryAfter: refusalRetry, NotStarted: true,
		})
		// The peer may be gone: there is nobody else to tell.
		if _, err := socket.Write(reply, refusalLinger); err == nil && socket.CloseWrite() == nil {
			_, _, _ = socket.Discard(refusalLinger, nil)
		}
	})
}
