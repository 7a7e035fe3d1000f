// Package measure puts a server under one kind of load for a while, checks every reply, and says what it took.
package measure

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/understudy-go/understudy/bench/internal/process"
)

// Figures are what one measurement found. What it did not look for is NaN.
type Figures struct {
	Rate   float64 // replies a second
	CPU    float64 // nanoseconds of the server's processor time for each of them
	P50    float64 // nanoseconds; latencies
	P99    float64
	P999   float64
	Memory float64 // bytes of the server's resident memory for each connection, over what it had without
	Note   string  // what else should be known, such as "the load was the bottleneck"
}

func none() Figures {
	nan := math.NaN()
	return Figures{Rate: nan, CPU: nan, P50: nan, P99: nan, P999: nan, Memory: nan}
}

// Times are how long a measurement takes.
type Times struct {
	Warmup   time.Duration // under load, before it begins
	Duration time.Duration
	Idle     time.Duration // how long idle connections rest before memory is looked at
}

// Load is a kind of load. Run returns an error if a reply was wrong, missing, or in another place: then there are no figures.
type Load interface {
	Run(ctx context.Context, s *process.Server, t Times) (Figures, error)
}

// meter takes the processor time of a server between two moments, both of them under load, so that neither connecting nor the
// end is in it.
type meter struct {
	server      *process.Server
	first, last moment
	marks       int
	err         error
}

type moment struct {
	at    time.Time
	cpu   time.Duration
	count int64
}

// mark notes a moment at which so many replies have come in all.
func (m *meter) mark(count int64) {
	cpu, err := m.server.CPU()
	if err != nil {
		m.err = err
		return
	}
	m.last = moment{time.Now(), cpu, count}
	if m.marks == 0 {
		m.first = m.last
	}
	m.marks++
}

// errNoReply is a Loop's; a load of gRPC that gets no reply fails for that.
var errNoReply = errors.New("no reply came during the measurement")

// missed is the note of figures without a processor time.
const missed = "the machine was too busy to look at the processor time when the measurement began and ended"

// figures returns the rate and the processor time.
func (m *meter) figures() (Figures, error) {
	replies := float64(m.last.count - m.first.count)
	f := none()
	switch {
	case m.err != nil:
		return f, m.err
	case m.marks < 2 || replies == 0: // the second look came after the end, or both did
		f.Note = missed
		return f, nil
	}
	f.Rate = replies / m.last.at.Sub(m.first.at).Seconds()
	f.CPU = float64(m.last.cpu-m.first.cpu) / replies
	return f, nil
}
