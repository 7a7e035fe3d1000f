package understudy

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/understudy-go/understudy/supervisor"
)

// logBurst is how many failures are logged in a second; the others are counted, and the count is logged.
const logBurst = 20

// eventLog writes what supervisors report to a logger: each failure with the place where it happened, and what was decided.
// What follows from that — a restart, now or later — is there for those who log at debug level. One goroutine calls it.
type eventLog struct {
	logger  *slog.Logger
	second  time.Time
	written int
	left    int
}

func (l *eventLog) on(e supervisor.Event) {
	level := slog.LevelDebug
	switch e.Kind {
	case supervisor.Failed, supervisor.BudgetSpent, supervisor.Escalated:
		level = slog.LevelError
	case supervisor.GivenUp:
		level = slog.LevelWarn
	}
	if !l.logger.Enabled(context.Background(), level) {
		return
	}
	if e.Time.Sub(l.second) >= time.Second {
		l.flush()
		l.second, l.written = e.Time, 0
	}
	if l.written >= logBurst {
		l.left++
		return
	}
	l.written++
	l.logger.LogAttrs(context.Background(), level, e.Kind.String(), attributes(e)...)
}

func attributes(e supervisor.Event) []slog.Attr {
	attrs := []slog.Attr{slog.String("actor", e.Path)}
	switch e.Kind {
	case supervisor.Failed:
		if f := e.Failure; f != nil {
			attrs = append(attrs, slog.String("cause", f.Error()))
			if at := place(f.Stack()); at != "" {
				attrs = append(attrs, slog.String("at", at))
			}
		}
		attrs = append(attrs, slog.String("decided", e.Directive.String()))
	case supervisor.Restarted, supervisor.RestartDelayed:
		attrs = append(attrs, slog.Int("incarnation", e.Incarnation), slog.Duration("delay", e.Delay), slog.Int("budget_left", e.BudgetLeft))
	case supervisor.GivenUp:
		attrs = append(attrs, slog.String("why", "its handler has stalled; another worker takes its place"))
	}
	return attrs
}

// place returns the innermost function of a stack and its line, without the runtime's own.
func place(stack string) string {
	lines := strings.Split(stack, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		function := strings.TrimSuffix(lines[i], "(...)")
		if function == "" || strings.HasPrefix(function, "runtime.") {
			continue
		}
		where, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " ")
		return function + " " + where
	}
	return ""
}

// end says the last word. A logger that panics loses it, as it does what the hub hands to it: that must not cost the process.
func (l *eventLog) end() {
	defer func() { _ = recover() }()
	l.flush()
}

// flush says how many failures were left out.
func (l *eventLog) flush() {
	if l.left > 0 {
		l.logger.Warn("more failures than are logged", "left_out", l.left)
		l.left = 0
	}
}
