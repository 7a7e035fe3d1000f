package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/understudy-go/understudy/internal/load"
	"golang.org/x/term"
)

// progress is a line that changes while a measurement goes on. Where there is no terminal there is no line.
type progress struct {
	w   io.Writer // nil if there is no terminal
	all time.Duration
}

// clearLine is the return to the line's start, and "Erase in Line" (ECMA-48, EL).
const clearLine = "\r\x1b[K"

func newProgress(w io.Writer, all time.Duration) *progress {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &progress{w, all}
	}
	return &progress{nil, all}
}

func (p *progress) show(i load.Interval) {
	if p.w != nil {
		fmt.Fprintf(p.w, "%s%v of %v  %s/s  p50 %v  p99 %v  errors %s", clearLine, i.To.Round(time.Second), p.all,
			humanize.Comma(int64(i.Throughput)), figures(i.P50), figures(i.P99), humanize.Comma(i.Errors))
	}
}

func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, clearLine)
	}
}
