package messages_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy/messages"
)

func TestCodeString(t *testing.T) {
	seen := make(map[string]bool)
	for c := range messages.Code(messages.Codes) {
		if c.String() == "" || seen[c.String()] {
			t.Errorf("code %d has the name %q", int32(c), c.String())
		}
		seen[c.String()] = true
	}
	for c, want := range map[messages.Code]string{
		messages.OK: "OK", messages.Canceled: "CANCELLED", messages.InvalidArgument: "INVALID_ARGUMENT",
		messages.ResourceExhausted: "RESOURCE_EXHAUSTED", messages.Unauthenticated: "UNAUTHENTICATED", 17: "CODE_17", -1: "CODE_-1",
	} {
		if c.String() != want || c.Error() != want {
			t.Errorf("code %d is %q, want %q", int32(c), c.String(), want)
		}
	}
	if messages.Unauthenticated != messages.Codes-1 {
		t.Error("Codes is not the number of codes")
	}
}

func TestStatusError(t *testing.T) {
	tests := []struct {
		status messages.Status
		want   string
	}{
		{messages.Status{}, "OK"},
		{messages.Status{Code: messages.Internal}, "INTERNAL"},
		{messages.Status{Code: messages.Internal, Message: "sorry"}, "INTERNAL: sorry"},
		{messages.Status{Code: messages.Internal, Op: "add"}, "add: INTERNAL"},
		{messages.Status{Code: messages.Internal, IncidentID: "i7"}, "INTERNAL (incident i7)"},
		{messages.Status{Code: messages.Internal, Op: "add", Message: "sorry", IncidentID: "i7", Cause: io.EOF}, "add: INTERNAL: sorry (incident i7): EOF"},
	}
	for _, tt := range tests {
		if got := tt.status.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestStatusMatches(t *testing.T) {
	var err error = &messages.Status{Code: messages.Unavailable, Cause: fmt.Errorf("read: %w", io.EOF)}
	err = fmt.Errorf("outer: %w", err)
	if !errors.Is(err, messages.Unavailable) || errors.Is(err, messages.Internal) || !errors.Is(err, io.EOF) {
		t.Errorf("%v does not match its code and cause only", err)
	}
	err = &messages.Status{Code: messages.Unavailable}
	if !errors.Is(err, messages.Unavailable) || errors.Is(err, messages.OK) {
		t.Errorf("%v does not match its code only", err)
	}
}

func TestStatusProto(t *testing.T) {
	tests := []struct {
		name   string
		status messages.Status
		want   *messages.Error
	}{
		{"zero", messages.Status{}, &messages.Error{Code: 2}},
		{"all", messages.Status{Code: messages.Internal, Message: "m", Op: "o", Cause: io.EOF, IncidentID: "i", RetryAfter: time.Second, NotStarted: true},
			&messages.Error{Code: 13, Message: "m", IncidentId: "i", RetryAfterMs: 1000, NotStarted: true}},
		{"rounded up", messages.Status{Code: 8, RetryAfter: 1}, &messages.Error{Code: 8, RetryAfterMs: 1}},
		{"a whole millisecond", messages.Status{Code: 8, RetryAfter: time.Millisecond}, &messages.Error{Code: 8, RetryAfterMs: 1}},
		{"just over one", messages.Status{Code: 8, RetryAfter: time.Millisecond + 1}, &messages.Error{Code: 8, RetryAfterMs: 2}},
		{"invalid UTF-8", messages.Status{Code: 13, Message: "a\xff\xfeb"}, &messages.Error{Code: 13, Message: "a\uFFFDb"}},
		{"a code that is none", messages.Status{Code: 99}, &messages.Error{Code: 99}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.status.Proto()
			if !proto.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if _, err := proto.Marshal(got); err != nil {
				t.Errorf("does not encode: %v", err)
			}
		})
	}
}

// What a client gets is what the server sent, but for what is never sent.
func TestStatusRoundTrip(t *testing.T) {
	s := &messages.Status{Code: messages.Aborted, Message: "m", Op: "o", Cause: io.EOF, IncidentID: "i", RetryAfter: 1500 * time.Millisecond, NotStarted: true}
	got := messages.FromProto(s.Proto())
	want := *s
	want.Op, want.Cause = "", nil
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	if zero := messages.FromProto(nil); *zero != (messages.Status{}) {
		t.Errorf("FromProto(nil) is %+v", *zero)
	}
}

func TestStatusOf(t *testing.T) {
	own := &messages.Status{Code: messages.NotFound, Message: "no such thing"}
	tests := []struct {
		name string
		err  error
		code messages.Code
		text string
	}{
		{"a status", own, messages.NotFound, "no such thing"},
		{"a wrapped status", fmt.Errorf("outer: %w", own), messages.NotFound, "no such thing"},
		{"a code", messages.Aborted, messages.Aborted, ""},
		{"a wrapped code", fmt.Errorf("outer: %w", messages.Aborted), messages.Aborted, ""},
		{"a deadline", fmt.Errorf("outer: %w", context.DeadlineExceeded), messages.DeadlineExceeded, "the deadline passed"},
		{"a cancellation", context.Canceled, messages.Canceled, "the request was cancelled"},
		{"a status whose cause is a deadline", &messages.Status{Code: messages.Internal, Cause: context.DeadlineExceeded}, messages.Internal, ""},
		{"joined with a code", errors.Join(io.EOF, messages.DataLoss), messages.DataLoss, ""},
		{"anything else", io.ErrUnexpectedEOF, messages.Unknown, "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := messages.StatusOf(tt.err)
			if got.Code != tt.code || got.Message != tt.text {
				t.Errorf("got %v, want %s: %s", got, tt.code, tt.text)
			}
			if s, ok := errors.AsType[*messages.Status](tt.err); ok && got != s {
				t.Error("got a status that is not the one it wraps")
			} else if !ok && !errors.Is(got, tt.err) {
				t.Errorf("%v does not match what it was made of", got)
			}
		})
	}
	var none *messages.Status
	for _, err := range []error{none, fmt.Errorf("outer: %w", none)} {
		if got := messages.StatusOf(err); got == nil || got.Code != messages.Internal || got.Message == "" {
			t.Errorf("a status that is nil: got %v", got)
		}
	}
	if messages.StatusOf(nil) != nil {
		t.Error("StatusOf(nil) is not nil")
	}
}
