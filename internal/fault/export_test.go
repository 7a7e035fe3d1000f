package fault

import "time"

// SetClock replaces the clock, which tells the time since any fixed moment. Call it before anything else.
func (in *Injector) SetClock(clock func() time.Duration) {
	for _, f := range in.drawing {
		f.lottery.clock = clock
	}
}
