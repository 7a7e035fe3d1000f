package understudy

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Report says how a server went down: [Server.Shutdown] returns it, [Report.Err] says whether all went well, and given to a
// [slog.Logger] it is one group. All who ask get the same slices, so they must not be
// changed.
type Report struct {
	Took     time.Duration // from the PoisonPill or Shutdown until the end; 0 if the server ended without a drain
	Drained  int           // connections that a PoisonPill has ended, the drain's or one of their own, with everything answered
	Forced   int           // connections on which this side left requests UNAVAILABLE, as a time was over (Drain, Grace), or without a reply
	ByForce  bool          // the drain's time was over, or its context ended, before everything was done
	Leaked   []Leak        // handlers that had not returned at the end; nil if there are none
	Cause    error         // the failure that ended the server; nil if it was told to end
	Replies  int64         // replies that were written after the drain had begun
	Counts   Counts        // what was done since the start, as it was at the end
	Problems []string      // what should not be, in words: that goroutines are left which no Leak names; nil if there is nothing
}

// Leak is a worker that was given up, as its handler had not returned when the server's end could not wait any longer. Its goroutine
// goes on until the handler returns.
type Leak struct {
	Name  string // the worker's path in its actor system, such as "server/pool/worker-3"
	Stack string // where its goroutine was: a function and, indented below it, its file and line, for each call, the innermost first
}

// What [Server.Serve], [Server.Wait] and [Report.Err] return if the server did not go down as it should, with numbers and names
// in the text; match them with [errors.Is].
var (
	// ErrUnanswered says that requests that were decoded got no reply, although their connection was there: Counts.Unanswered.
	ErrUnanswered = errors.New("requests were left unanswered")
	// ErrLeaked says that handlers had not returned when the time was over: Report.Leaked. Their requests were answered, or
	// the error would be ErrUnanswered.
	ErrLeaked = errors.New("handlers that do not return were given up")
)

// namesInError is how many given-up workers an error names; the report has them all.
const namesInError = 5

// Err returns nil if the server went down as it should: every request was answered, nothing was left, nothing had failed. Else it is
// the first of these that holds: Cause, [ErrUnanswered], [ErrLeaked], the Problems.
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

// LogValue makes a report one group of a log line, as [slog.LogValuer]: how long the end took, and the numbers that count then.
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
