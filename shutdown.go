package understudy

import (
	"context"
	"fmt"
	"time"

	"github.com/understudy-go/understudy/messages"
)

func (s *Server) waitForGoroutines(at time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), at)
	defer cancel()
	return s.stage.Tracker.Wait(ctx) == nil
}

// finish waits for the last goroutines, and puts the report together.
func (s *Server) finish() Report {
	d := s.lifecycle.Drain()
	r := Report{ByForce: d.Forced, Cause: s.lifecycle.Cause()}
	patience := handlerWait
	if !d.Forced && !d.Begun.IsZero() {
		// A handler whose request was answered long ago may still run: it has until the end of the drain.
		patience = max(patience, s.config.Drain-time.Since(d.Begun))
	}
	if !s.waitForGoroutines(patience) {
		// What is left is a handler that does not obey its context, which is cancelled by now. It is the leak.
		for _, l := range s.stage.Leaks() {
			r.Leaked = append(r.Leaked, Leak(l))
		}
		s.stage.Tracker.Abandon(len(r.Leaked))
		if !s.waitForGoroutines(leftoverWait) {
			r.Problems = append(r.Problems, fmt.Sprintf("%d goroutines are left", s.stage.Tracker.Running()))
		}
	}
	s.faults.Release()
	s.stage.CheckLastLendings()
	r.Drained, r.Forced = s.stage.Ended()
	r.Counts = s.Counts()
	if !d.Begun.IsZero() {
		r.Took = time.Since(d.Begun)
		r.Replies = r.Counts.Answered - d.Answered
	}
	return r
}

// Shutdown drains the server and returns when nothing of it is left, with the report. The drain ends by force when [Config].Drain is
// over, or when ctx ends; then the error is that of ctx, and else nil: whether all went well is for [Report.Err] to say. After
// force it waits for handlers that obey their contexts, and some seconds at most.
//
// It may be called more than once, and after the end: every call waits, and gets the same report. A server that does not
// serve yet never will, and has an empty report.
//
// A handler may call it with its own context: then it begins the drain and returns at once, with a report of what was done
// so far, as it would wait for itself.
func (s *Server) Shutdown(ctx context.Context) (Report, error) {
	s.mu.Lock()
	switch s.state {
	case fresh:
		s.state = shut
		close(s.ready)
		close(s.ended)
	case serving:
		s.system.Root.Poison(s.root)
		if s.stage.Handles(ctx) {
			s.mu.Unlock()
			return Report{Counts: s.Counts()}, nil
		}
	}
	s.mu.Unlock()
	select {
	case <-s.ended: // looked at first: of a server that never served there is nothing to end by force
		return s.result(), nil
	default:
	}
	select {
	case <-s.ended:
		return s.result(), nil
	case <-ctx.Done():
	}
	s.system.Root.Send(s.root, messages.Force{})
	// A message waits behind a suspended mailbox; Stop does not.
	fallback := time.AfterFunc(leftoverWait, func() { s.system.Root.Stop(s.root) })
	defer fallback.Stop()
	<-s.ended
	return s.result(), ctx.Err()
}

func (s *Server) result() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.report
}
