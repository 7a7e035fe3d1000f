package main

import (
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// newLogger logs for people on a terminal, and as JSON anywhere else. terminal is where to look for one.
func newLogger(w io.Writer, terminal io.Writer) *slog.Logger {
	if f, ok := terminal.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return slog.New(tint.NewTextHandler(w, &tint.Options{TimeFormat: time.TimeOnly}))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}

// How much of the output waits for whoever reads it, and for how long at the end.
const (
	unreadLines = 1024
	flushTime   = time.Second
)

// patientWriter writes on a goroutine of its own, so that a pipe that nobody reads stops nothing: neither the server nor its
// end. What comes while unreadLines wait is dropped.
type patientWriter struct {
	lines   chan []byte
	done    chan struct{}
	dropped atomic.Int64
}

func newPatientWriter(w io.Writer) *patientWriter {
	p := &patientWriter{lines: make(chan []byte, unreadLines), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		for line := range p.lines {
			_, _ = w.Write(line) // if nobody reads any more, there is nobody to tell
		}
	}()
	return p
}

// Write takes a line. It never waits.
func (p *patientWriter) Write(line []byte) (int, error) {
	select {
	case p.lines <- append([]byte(nil), line...):
	default:
		p.dropped.Add(1)
	}
	return len(line), nil
}

// Close waits until everything is written, but not for long. Nothing may be written after it.
func (p *patientWriter) Close() {
	close(p.lines)
	select {
	case <-p.done:
	case <-time.After(flushTime):
	}
}
