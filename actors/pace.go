package actors

import "time"

// The dispatch fits the handlers: while a connection's requests take at most inlineLimit on the average, its bursts are run
// where they are; else they are cut into pieces that take about spreadLimit, or single requests, for as many workers as are
// idle.
const (
	inlineLimit = 200 * time.Microsecond
	spreadLimit = time.Millisecond
)

// pace is how long the requests of one connection take. It is plain data.
type pace struct {
	average   time.Duration // moving; a burst weighs an eighth
	slow      int32         // bursts over inlineLimit, one after the other
	spreading bool
}

// observe notes a burst, whose requests took so long each. Two slow bursts in a row begin the spreading — one may have been
// a pause of the scheduler — and the average ends it, as fast and slow requests may come mixed.
func (p *pace) observe(each time.Duration) {
	p.average += (each - p.average) / 8
	if each <= inlineLimit {
		p.slow = 0
	} else if p.slow++; p.slow >= 2 && !p.spreading {
		p.spreading = true
		p.average = max(p.average, each)
	}
	if p.spreading && p.average < inlineLimit/2 {
		p.spreading = false
	}
}

// piece returns how many requests belong together, or 0 if all that come together do.
func (p *pace) piece() int {
	if !p.spreading {
		return 0
	}
	return max(1, int(spreadLimit/max(p.average, 1)))
}
