package messages

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"
)

// Status is an error with a code: what a handler returns to choose the reply's code, and what a client gets.
// It matches its Code with errors.Is and its Cause with errors.Is and errors.As. A nil *Status is not valid. One may be returned any
// number of times, on any goroutine: nobody changes it. The zero value is UNKNOWN without a message, when it is sent.
type Status struct {
	Code       Code          // what kind of error; OK is not one, and is sent as UNKNOWN
	Message    string        // for people; sent to the client
	Op         string        // the operation that failed, such as "decode" or "add"; not sent
	Cause      error         // what was underneath, or nil; never sent, the server's log has it
	IncidentID string        // names the log entry of an internal error; empty if there is none
	RetryAfter time.Duration // how long to wait before another try; 0 is no advice; sent in whole milliseconds, rounded up
	NotStarted bool          // the request was surely not started, so any request may be sent again
}

// Error returns "op: CODE: message [incident]: cause", without the parts that are empty.
func (s *Status) Error() string {
	var b strings.Builder
	if s.Op != "" {
		b.WriteString(s.Op)
		b.WriteString(": ")
	}
	b.WriteString(s.Code.String())
	if s.Message != "" {
		b.WriteString(": ")
		b.WriteString(s.Message)
	}
	if s.IncidentID != "" {
		b.WriteString(" (incident ")
		b.WriteString(s.IncidentID)
		b.WriteString(")")
	}
	if s.Cause != nil {
		b.WriteString(": ")
		b.WriteString(s.Cause.Error())
	}
	return b.String()
}

// Unwrap returns the code and, if there is one, the cause.
func (s *Status) Unwrap() []error {
	if s.Cause == nil {
		return []error{s.Code}
	}
	return []error{s.Code, s.Cause}
}

// Proto returns the wire form of s. The cause and the operation are left out.
func (s *Status) Proto() *Error {
	code := s.Code
	if code == OK {
		code = Unknown
	}
	return &Error{
		Code:         int32(code),
		Message:      strings.ToValidUTF8(s.Message, "\uFFFD"),
		IncidentId:   strings.ToValidUTF8(s.IncidentID, "\uFFFD"),
		RetryAfterMs: milliseconds(s.RetryAfter),
		NotStarted:   s.NotStarted,
	}
}

// milliseconds rounds up, and takes less than nothing for nothing.
func milliseconds(d time.Duration) int64 {
	d = max(d, 0)
	ms := int64(d / time.Millisecond)
	if d%time.Millisecond > 0 {
		ms++
	}
	return ms
}

// FromProto returns e as a Status. A time to wait that a Duration cannot hold becomes the longest one.
func FromProto(e *Error) *Status {
	return &Status{
		Code:       Code(e.GetCode()),
		Message:    e.GetMessage(),
		IncidentID: e.GetIncidentId(),
		RetryAfter: time.Duration(min(max(e.GetRetryAfterMs(), 0), math.MaxInt64/int64(time.Millisecond))) * time.Millisecond,
		NotStarted: e.GetNotStarted(),
	}
}

// StatusOf returns the Status that err is or wraps. For the errors of a context it makes one with
// DEADLINE_EXCEEDED or CANCELLED, for a bare Code one with that code, and for anything else one with UNKNOWN and
// err's text. StatusOf(nil) is nil; for an error that is or wraps a nil *Status it makes one with INTERNAL.
func StatusOf(err error) *Status {
	if err == nil {
		return nil
	}
	if s, ok := errors.AsType[*Status](err); ok {
		if s == nil {
			return &Status{Code: Internal, Message: "the error is a nil *Status"}
		}
		return s
	}
	if c, ok := errors.AsType[Code](err); ok {
		return &Status{Code: c, Cause: err}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Status{Code: DeadlineExceeded, Message: "the deadline passed", Cause: err}
	case errors.Is(err, context.Canceled):
		return &Status{Code: Canceled, Message: "the request was cancelled", Cause: err}
	}
	return &Status{Code: Unknown, Message: err.Error(), Cause: err}
}
