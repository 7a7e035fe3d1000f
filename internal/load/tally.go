package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/understudy-go/understudy/messages"
)

// Latencies are kept from 1 ns to longest, to three significant figures; longer ones count as longest.
const (
	longest = int64(time.Hour)
	figures = 3
)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest, figures) }

// counts are what a loop counts. Unless it says otherwise, a request counts if it was sent (in an open loop: meant to be
// sent) during the measurement, whenever its reply came.
type counts struct {
	requests   int64                     // sent
	answered   int64                     // got their replies
	arrived    int64                     // replies that came during the measurement, whenever they were asked for
	failed     int64                     // of answered: error replies
	codes      [messages.Codes + 1]int64 // of failed; the last one is for other codes
	wrong      int64                     // replies whose content was not the expected one, at any time
	misplaced  int64                     // replies that belonged in another place, at any time
	surplus    int64                     // replies to nothing, at any time
	late       int64                     // sent lateAfter or more after they were meant to be
	ownLate    int64                     // of late: because the generator was late, not the server
	unsent     int64                     // never sent
	unanswered int64                     // never answered
	lost       int64                     // connections that ended before their time, at any time
	sent       int64                     // bytes, during the measurement
	received   int64                     // bytes, during the measurement
	bursts     int64                     // writes, during the measurement
}

// tally is what a loop measures, until it hands it over and takes an empty one.
type tally struct {
	counts
	latency *hdrhistogram.Histogram // nanoseconds, of answered, unanswered and unsent
}

func newTally() *tally { return &tally{latency: newHistogram()} }

// record notes n requests that took so many nanoseconds, or longer if they were never answered.
func (t *tally) record(latency, n int64) {
	_ = t.latency.RecordValues(min(max(latency, 0), longest), n) // the value is in its range
}

func (t *tally) reset() {
	t.counts = counts{}
	t.latency.Reset()
}

// add adds what another one has counted.
func (t *tally) add(o *tally) {
	t.latency.Merge(o.latency) // drops nothing, as the ranges are the same
	c := &t.counts
	for i, n := range o.codes {
		c.codes[i] += n
	}
	c.requests += o.requests
	c.answered += o.answered
	c.arrived += o.arrived
	c.failed += o.failed
	c.wrong += o.wrong
	c.misplaced += o.misplaced
	c.surplus += o.surplus
	c.late += o.late
	c.ownLate += o.ownLate
	c.unsent += o.unsent
	c.unanswered += o.unanswered
	c.lost += o.lost
	c.sent += o.sent
	c.received += o.received
	c.bursts += o.bursts
}
