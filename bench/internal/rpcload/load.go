// Package rpcload is the load for the gRPC peer: closed loops, as package load makes them for the others. Each connection is a
// grpc.ClientConn, with its own socket. Every reply is compared with the one that belongs in its place.
//
// It costs more processor time than the server that it loads, and shares the processors with it: that is gRPC's price at the
// client's end, and part of the throughput; the processor time of the server is measured apart.
package rpcload

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-go/understudy/bench/peers/rpc"
	"github.com/understudy-go/understudy/bench/peers/rpc/echo"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
)

// Config says what load to make. There are no defaults.
type Config struct {
	Address     string
	Streaming   bool // one stream a connection, pipelined; otherwise Depth unary calls at once
	Connections int
	Depth       int           // requests in flight on a connection
	Size        int           // bytes of an echo's content, at least 16
	Warmup      time.Duration // load before the measurement begins
	Duration    time.Duration // of the measurement
	// Mark is called when the measurement begins and when it ends, with how many replies have come so far, under load.
	Mark func(replies int64)
}

// grace is how long the replies that are due at the end may take.
const grace = 5 * time.Second

var errUnanswered = errors.New("requests without a reply")

// worker is one loop: a stream, or one call after the other.
type worker struct {
	replies atomic.Int64
	_       [56]byte // a cache line each
}

// Run makes the load, and ends with the first wrong reply or error.
func Run(ctx context.Context, c Config) error {
	if c.Size < minSize {
		return fmt.Errorf("rpcload: Size is %d, and must be at least %d", c.Size, minSize)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	conns, err := dial(ctx, c)
	defer func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	if err != nil {
		return err
	}
	loops := 1
	loop := stream
	if !c.Streaming {
		loops, loop = c.Depth, calls
	}
	workers := make([]worker, len(conns)*loops)
	var stop atomic.Bool
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			k := &loopState{depth: c.Depth, contents: newContents(i, c.Size), replies: &workers[i].replies, stop: &stop}
			if err := loop(ctx, echo.NewEchoAddClient(conns[i/loops]), k); err != nil {
				cancel(err)
			}
		})
	}
	count := func() (n int64) {
		for i := range workers {
			n += workers[i].replies.Load()
		}
		return n
	}
	if sleep(ctx, c.Warmup) {
		c.Mark(count())
		if sleep(ctx, c.Duration) {
			c.Mark(count())
		}
	}
	stop.Store(true)
	tooLate := time.AfterFunc(grace, func() { cancel(errUnanswered) })
	defer tooLate.Stop()
	all.Wait()
	return context.Cause(ctx)
}

// sleep reports false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// dial connects all, and waits until they are.
func dial(ctx context.Context, c Config) ([]*grpc.ClientConn, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var conns []*grpc.ClientConn
	for range c.Connections {
		conn, err := grpc.NewClient("passthrough:///"+c.Address,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithReadBufferSize(rpc.Buffer),
			grpc.WithWriteBufferSize(rpc.Buffer),
			grpc.WithInitialWindowSize(rpc.Window),
			grpc.WithInitialConnWindowSize(rpc.Window),
		)
		if err != nil {
			return conns, err
		}
		conns = append(conns, conn)
		conn.Connect()
	}
	for _, conn := range conns {
		for state := conn.GetState(); state != connectivity.Ready; state = conn.GetState() {
			if !conn.WaitForStateChange(ctx, state) {
				return conns, fmt.Errorf("connect to %s: %w", c.Address, ctx.Err())
			}
		}
	}
	return conns, nil
}

// loopState is what a loop needs.
type loopState struct {
	depth    int
	contents *contents
	replies  *atomic.Int64
	stop     *atomic.Bool
}

// calls makes one call after the other.
func calls(ctx context.Context, client echo.EchoAddClient, s *loopState) error {
	for !s.stop.Load() {
		out, err := client.Call(ctx, s.contents.request())
		if err != nil {
			return err
		}
		if err := s.contents.check(out); err != nil {
			return err
		}
		s.replies.Add(1)
	}
	return nil
}

// stream keeps depth requests on a stream. One goroutine does both ends of it: gRPC queues what is sent.
func stream(ctx context.Context, client echo.EchoAddClient, s *loopState) error {
	stream, err := client.Stream(ctx)
	if err != nil {
		return err
	}
	for range s.depth {
		if err := stream.Send(s.contents.request()); err != nil {
			return errors.Join(err, streamError(stream))
		}
	}
	inFlight := s.depth
	for inFlight > 0 {
		out, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := s.contents.check(out); err != nil {
			return err
		}
		s.replies.Add(1)
		if s.stop.Load() {
			inFlight--
			continue
		}
		if err := stream.Send(s.contents.request()); err != nil {
			return errors.Join(err, streamError(stream))
		}
	}
	return stream.CloseSend()
}

// streamError is why Send has failed: it says only io.EOF.
func streamError(stream echo.EchoAdd_StreamClient) error {
	var m messages.ServerMessage
	return stream.RecvMsg(&m)
}
