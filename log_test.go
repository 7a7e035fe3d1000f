package understudy_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// panicking is a handler of log records that panics on each.
type panicking struct{}

func (panicking) Enabled(context.Context, slog.Level) bool  { return true }
func (panicking) Handle(context.Context, slog.Record) error { panic("no log today") }
func (p panicking) WithAttrs([]slog.Attr) slog.Handler      { return p }
func (p panicking) WithGroup(string) slog.Handler           { return p }

// A logger that panics loses what it was to say, the last word of a server included, and nothing else.
func TestLoggerThatPanics(t *testing.T) {
	h := serve(t, understudy.Config{Logger: slog.New(panicking{}), Service: echoService(
		func(context.Context, *messages.EchoMessage) (*messages.EchoMessage, error) {
			return nil, messages.Internal
		})})
	p := h.dial()
	for range 100 { // more than are logged in a second, so that the server's end says how many were left out
		p.send(p.frame(echoRequest("x"))...)
		p.want(errorReply(messages.Internal))
	}
	p.Close()
	h.stop()
}
