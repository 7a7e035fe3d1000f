package supervisor

import (
	"math"
	"time"
)

// Budget says how many restarts are too many: more than Intensity within Period, as in OTP's supervisor. The zero value allows none.
type Budget struct {
	Intensity int           // restarts allowed within a period; negative: any number
	Period    time.Duration // 0 or less: for ever, so that nothing spent ever comes back
}

// Meter counts what is spent of a Budget. It is not safe for concurrent use.
//
// It counts as add_restart of OTP's supervisor.erl does: a restart that lies exactly Period back still counts, and so do those that were
// refused. It remembers at most Intensity+1 of them, as more cannot change an answer.
type Meter struct {
	budget Budget
	spent  []time.Time // a ring once it is full
	head   int         // index of the oldest
	n      int
}

// NewMeter makes a meter of which nothing is spent.
func NewMeter(b Budget) *Meter { return &Meter{budget: b} }

// Spend spends one restart at the time now, which must not go backwards. ok says whether the budget allows it, left how many more it
// allows at the same instant.
func (m *Meter) Spend(now time.Time) (left int, ok bool) {
	if m.budget.Intensity < 0 {
		return math.MaxInt, true
	}
	m.forget(now)
	m.push(now)
	return max(0, m.budget.Intensity-m.n), m.n <= m.budget.Intensity
}

// Left is how many restarts the budget allows at the time now.
func (m *Meter) Left(now time.Time) int {
	if m.budget.Intensity < 0 {
		return math.MaxInt
	}
	m.forget(now)
	return max(0, m.budget.Intensity-m.n)
}

// Reset forgets everything that was spent.
func (m *Meter) Reset() { m.spent, m.head, m.n = nil, 0, 0 }

func (m *Meter) forget(now time.Time) {
	if m.budget.Period <= 0 {
		return
	}
	threshold := now.Add(-m.budget.Period)
	for m.n > 0 && m.spent[m.head].Before(threshold) {
		m.head = (m.head + 1) % len(m.spent)
		m.n--
	}
}

func (m *Meter) push(now time.Time) {
	limit := m.budget.Intensity
	if limit < math.MaxInt {
		limit++
	}
	switch {
	case m.n < len(m.spent):
		m.spent[(m.head+m.n)%len(m.spent)] = now
		m.n++
	case len(m.spent) < limit:
		// Full, and allowed to grow: straighten the ring first, so that the new place follows the newest.
		grown := make([]time.Time, 0, min(limit, 2*m.n+1))
		for i := range m.n {
			grown = append(grown, m.spent[(m.head+i)%len(m.spent)])
		}
		m.spent, m.head = grown[:cap(grown)], 0
		m.spent[m.n] = now
		m.n++
	default:
		m.spent[m.head] = now // the oldest makes room
		m.head = (m.head + 1) % len(m.spent)
	}
}
