package understudy

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/understudy-go/understudy/actors"
)

// Counts is what a server has done so far.
type Counts = actors.Counts

// StatusRequest asks a server's PID for its [Status]; it is answered with one.
type StatusRequest = actors.StatusRequest

// Status is what a server is doing.
type Status = actors.Status

// PoolStatus is what a server's workers are doing, and what waits for them.
type PoolStatus = actors.PoolStatus

// Level is how much there is of something that has a bound.
type Level = actors.Level

// Leak is a worker whose handler did not return, with the stack of its goroutine.
type Leak = actors.Leak

// Report says how a server went down.
type Report struct {
	Took     time.Duration // from the first request to end until the end
	Drained  int           // connections on which everything was answered
	Forced   int           // connections on which requests were answered UNAVAILABLE, or not at all
	ByForce  bool          // the drain's time was over, or its context ended
	Leaked   []Leak        // workers that were given up
	Cause    error         // the failure that ended the server, or nil
	Replies  int64         // replies written since the drain began
	Counts   Counts        // everything since the start
	Problems []string      // what should not be: goroutines left that nobody names
}

// What Serve returns if the server did not go down as it should.
var (
	// ErrUnanswered: requests that were decoded got no reply, although their connection was there.
	ErrUnanswered = errors.New("requests were left unanswered")
	// ErrLeaked: handlers had not returned when the time was over.
	ErrLeaked = errors.New("handlers that do not return were given up")
)

// namesInError is how many given-up workers an error names; the report has them all.
const namesInError = 5

// Err returns nil if the server went down as it should: every request was answered, nothing was left, nothing had failed.
func (r Report) Err() error {
	switch {
	case r.Cause != nil:
		return r.Cause
	case r.Counts.Unanswered > 0:
		return fmt.Errorf("%w: %d of %d", ErrUnanswered, r.Counts.Unanswered, r.Counts.Decoded)
	case len(r.Leaked) > 0:
		var names []string
		for _, l := range r.Leaked[:min(len(r.Leaked), namesInError)] {
			names = append(names, l.Name)
		}
		if more := len(r.Leaked) - len(names); more > 0 {
			names = append(names, fmt.Sprintf("and %d more", more))
		}
		return fmt.Errorf("%w: %s", ErrLeaked, strings.Join(names, ", "))
	case len(r.Problems) > 0:
		return errors.New(strings.Join(r.Problems, "; "))
	}
	return nil
}

// LogValue makes a report one group of a log line.
func (r Report) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.Duration("took", r.Took.Round(time.Millisecond)),
		slog.Int("drained", r.Drained),
		slog.Int("forced", r.Forced),
		slog.Int("leaked", len(r.Leaked)),
		slog.Int64("replies_flushed", r.Replies),
		slog.Int64("decoded", r.Counts.Decoded),
		slog.Int64("answered", r.Counts.Answered),
		slog.Int64("dropped", r.Counts.Dropped),
		slog.Int64("unanswered", r.Counts.Unanswered),
		slog.Int64("bytes_received", r.Counts.BytesReceived),
		slog.Int64("bytes_decoded", r.Counts.BytesDecoded),
		slog.Int64("bytes_discarded", r.Counts.BytesDiscarded),
		slog.Int64("bytes_unread", r.Counts.BytesUnread),
	}
	return slog.GroupValue(attrs...)
}
