package understudy

import (
	"context"
	"log/slog"
	"time"

	"github.com/understudy-go/understudy/supervisor"
)

// logBurst is how many failures are logged in a second; the others are counted, and the count is logged.
const logBurst = 20

// eventLog writes what supervisors report to a logger. One goroutine calls it.
type eventLog struct {
	logger  *slog.Logger
	second  time.Time
	written int
	left    int
}

func (l *eventLog) on(e supervisor.Event) {
	if e.Kind == supervisor.Drained {
		l.logger.Debug("drained", "actor", e.Path)
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
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("actor", e.Path)}
	if f := e.Failure; f != nil && e.Kind == supervisor.Failed {
		level = slog.LevelError
		attrs = append(attrs, slog.String("incident", f.Incident), slog.String("cause", f.Error()))
		if f.Phase == supervisor.PhaseReceive && l.logger.Enabled(context.Background(), slog.LevelDebug) {
			attrs = append(attrs, slog.String("stack", f.Stack()))
		}
	}
	if e.Kind == supervisor.Restarted || e.Kind == supervisor.RestartDelayed {
		attrs = append(attrs, slog.Int("incarnation", e.Incarnation), slog.Duration("delay", e.Delay), slog.Int("budget_left", e.BudgetLeft))
	}
	l.logger.LogAttrs(context.Background(), level, e.Kind.String(), attrs...)
}

// flush says how many events were left out.
func (l *eventLog) flush() {
	if l.left > 0 {
		l.logger.Warn("more failures than are logged", "left_out", l.left)
		l.left = 0
	}
}
