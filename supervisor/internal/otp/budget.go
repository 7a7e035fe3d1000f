package otp

import "time"

// budget counts restarts as "Supervisor Behaviour", "Tuning the Intensity and Period" has it: more than intensity within period are too many.
//
// OTP takes the time in whole seconds, and a restart that lies exactly one period back still counts.
type budget struct {
	intensity int
	period    time.Duration
	restarts  []time.Duration // oldest first, in whole seconds
}

// spend counts one restart and says whether the supervisor may carry it out. A restart that is refused counts too, but nobody will ask
// again.
func (b *budget) spend(now time.Duration) bool {
	second := now.Truncate(time.Second)
	for len(b.restarts) > 0 && b.restarts[0] < second-b.period {
		b.restarts = b.restarts[1:]
	}
	b.restarts = append(b.restarts, second)
	return len(b.restarts) <= b.intensity
}
