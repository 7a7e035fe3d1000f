package actors

import "time"

// How the pool finds its size.
const (
	growWait    = 5 * time.Millisecond // a burst that has waited so long is one reason to grow
	growLooks   = 2                    // seen so often in a row
	shrinkAfter = 10 * time.Second     // so long with less than half of the workers busy is one to shrink
)

// sizer decides how many workers there are. It is looked at by the sweeper, several times in a stall time:
//
//   - It grows by a quarter, at least by one, if at two looks in a row no worker is idle and some burst that any of them
//     could serve has waited for 5 ms or more; then it counts anew.
//   - It shrinks by a quarter, at least by one, if for 10 s at no look more than half of the workers were busy.
//
// It never leaves its bounds. Growing is quick and shrinking slow, so that a load that comes and goes finds the workers
// that it had. More workers help handlers that wait for something; those that compute are limited by the processors, and
// a bound on the workers keeps them from being too many at once. It is plain data, with the clock passed in.
type sizer struct {
	min, max int
	size     int
	hungry   int           // looks in a row
	peak     int           // the most that were busy since
	since    time.Duration // when the peak began to count
}

func newSizer(low, high int) sizer { return sizer{min: low, max: high, size: low} }

// look takes what there is at a time: how many workers are idle, how many are not, and how long the burst that waits
// longest has waited. It returns the size that the pool should have from then on.
func (z *sizer) look(now time.Duration, idle, busy int, wait time.Duration) int {
	if idle == 0 && wait >= growWait {
		z.hungry++
	} else {
		z.hungry = 0
	}
	z.peak = max(z.peak, busy)
	switch {
	case z.hungry >= growLooks && z.size < z.max:
		z.size = min(z.max, z.size+max(1, z.size/4))
		z.hungry = 0
		z.peak, z.since = busy, now
	case z.peak > z.size/2:
		z.peak, z.since = busy, now
	case now-z.since >= shrinkAfter && z.size > z.min:
		z.size = max(z.min, z.size-max(1, z.size/4))
		z.peak, z.since = busy, now
	}
	return z.size
}
