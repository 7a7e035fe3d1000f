package fault

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// lottery draws one of the live actors in each interval of a fault with every=. It has neither a goroutine nor a timer: time
// passes for it when an actor asks whether it wins. Any goroutine may use it.
//
// Who is drawn depends on nothing but the seed, the number of the interval and who is live at the draw, so that the same seed
// draws the same actors however their goroutines took turns.
type lottery struct {
	every time.Duration
	seed  uint64
	clock func() time.Duration // since any fixed moment; never goes back

	// An actor that asks too early, and was not drawn, learns so from these two, without the lock. They are written under it,
	// drawn before due, and read the other way round: who sees the new due sees the new drawn.
	drawn atomic.Int64 // the number of the actor that was drawn and has not asked since; nobody if there is none
	due   atomic.Int64 // from when on, by the clock, whoever asks next is to draw

	mu       sync.Mutex
	live     map[int]struct{}
	begun    bool
	start    time.Duration // of interval 0, in which nobody is drawn
	interval int64         // the number of the latest interval that was seen
	owed     bool          // somebody is still to be drawn in this interval
}

const nobody = -1

func newLottery(s Spec, clock func() time.Duration) *lottery {
	l := &lottery{every: s.every, seed: s.seed, clock: clock, live: map[int]struct{}{}}
	l.drawn.Store(nobody)
	l.due.Store(math.MinInt64)
	return l
}

// wins says whether the actor with that number, which asks, is the one that was drawn. It wins once.
func (l *lottery) wins(number int) bool {
	now := l.clock()
	if int64(now) < l.due.Load() && l.drawn.Load() != int64(number) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance(now)
	if l.owed {
		l.draw()
	}
	if l.drawn.Load() != int64(number) {
		return false
	}
	l.drawn.Store(nobody)
	return true
}

// enter makes an actor one of those that may be drawn; one that is already stays it.
func (l *lottery) enter(number int) {
	now := l.clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live[number] = struct{}{}
	if !l.begun {
		l.advance(now)
	}
}

// leave undoes enter.
func (l *lottery) leave(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.live, number)
	if l.drawn.Load() == int64(number) {
		l.drawn.Store(nobody)
		l.owed = true
		l.due.Store(math.MinInt64)
	}
}

// advance notes in which interval now lies. A now that is older than one seen before changes nothing.
func (l *lottery) advance(now time.Duration) {
	if !l.begun {
		l.begun, l.start = true, now
		l.due.Store(l.end())
		return
	}
	if n := int64((now - l.start) / l.every); n > l.interval {
		l.interval, l.owed = n, true
	}
}

// draw draws one of those that are live, in place of whoever was drawn before. If there are none it leaves due, which has
// passed, as it is: whoever asks next is to draw.
func (l *lottery) draw() {
	var highest uint64
	drawn := int64(nobody)
	// No two numbers get the same ticket, as splitmix64 maps them one to one: the order of the map does not matter.
	tickets := splitmix64(l.seed, uint64(l.interval))
	for number := range l.live {
		if ticket := splitmix64(tickets, uint64(number)); drawn == nobody || ticket > highest {
			highest, drawn = ticket, int64(number)
		}
	}
	if drawn == nobody {
		return
	}
	l.owed = false
	l.drawn.Store(drawn)
	l.due.Store(l.end())
}

// end returns when this interval is over. If the sum overflows, into the past, actors ask under the lock for nothing, and
// advance still tells them right.
func (l *lottery) end() int64 { return int64(l.start) + (l.interval+1)*int64(l.every) }
