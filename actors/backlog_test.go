package actors

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// laneOnly is an origin of which only the lane is asked for.
type laneOnly struct {
	origin
	own lane
}

func (o *laneOnly) lane() *lane { return &o.own }

// backlogModel is what a backlog shall do, said another way: for each connection and slot the bursts in their order, those
// that are with a worker included.
type backlogModel struct {
	t       *testing.T
	seed    uint64
	rnd     *rand.Rand
	backlog backlog
	origins []*laneOnly
	order   map[*laneOnly]map[uint16][]*Burst
	serving []*Burst
	clock   time.Time
	all     int // requests that wait
}

func (m *backlogModel) fatalf(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("seed %d: "+format, append([]any{m.seed}, args...)...)
}

func (m *backlogModel) push() {
	o := m.origins[m.rnd.IntN(len(m.origins))]
	b := burstOf(1 + m.rnd.IntN(4))
	m.clock = m.clock.Add(time.Second)
	b.origin, b.slot, b.deadline, b.queued = o, uint16(m.rnd.IntN(4)), m.clock.Add(time.Minute), m.clock
	m.backlog.push(o.lane(), b, false)
	m.order[o][b.slot] = append(m.order[o][b.slot], b)
	m.all += b.size()
}

func (m *backlogModel) pop() {
	b := m.backlog.pop()
	if b == nil {
		for _, o := range m.origins {
			if len(m.order[o][noSlot]) > m.with(o, noSlot) {
				m.fatalf("a burst without a key waits, and none is ready")
			}
		}
		if m.all > 0 && !slices.ContainsFunc(m.serving, func(b *Burst) bool { return b.slot != noSlot }) {
			m.fatalf("%d requests wait, and nobody holds a slot", m.all)
		}
		return
	}
	m.all -= b.size()
	o := b.origin.(*laneOnly)
	if b.slot == noSlot {
		if first := m.order[o][noSlot][m.with(o, noSlot)]; first != b {
			m.fatalf("a connection's bursts without a key are out of order")
		}
	} else {
		for _, other := range m.serving {
			if other.slot == b.slot {
				m.fatalf("slot %d is served twice at once", b.slot)
			}
		}
		if m.order[o][b.slot][0] != b {
			m.fatalf("slot %d of a connection is out of order", b.slot)
		}
	}
	m.serving = append(m.serving, b)
}

// with returns how many bursts of a connection and slot are with workers.
func (m *backlogModel) with(o *laneOnly, slot uint16) int {
	n := 0
	for _, b := range m.serving {
		if b.origin == o && b.slot == slot {
			n++
		}
	}
	return n
}

// end ends the serving of a burst. With a rest, the worker has crashed, and what it left goes in front again.
func (m *backlogModel) end(rest bool) {
	if len(m.serving) == 0 {
		return
	}
	i := m.rnd.IntN(len(m.serving))
	b := m.serving[i]
	m.serving = slices.Delete(m.serving, i, i+1)
	o := b.origin.(*laneOnly)
	own := m.order[o][b.slot]
	at := slices.Index(own, b)
	if rest && b.size() > 1 && b.slot != noSlot {
		r := burstOf(b.size() - 1)
		r.origin, r.slot, r.deadline, r.queued = o, b.slot, b.deadline, m.clock
		own[at] = r
		m.backlog.push(o.lane(), r, true)
		m.all += r.size()
	} else {
		m.order[o][b.slot] = slices.Delete(own, at, at+1)
	}
	m.release(b)
}

func (m *backlogModel) release(b *Burst) {
	if b.holds.CompareAndSwap(true, false) {
		m.backlog.release(b.slot)
	}
}

func (m *backlogModel) expire() {
	m.clock = m.clock.Add(time.Duration(m.rnd.IntN(70)) * time.Second)
	late, ready, held := m.backlog.popLate(m.clock)
	var was []*Burst
	for b := late; b != nil; b = b.next {
		was = append(was, b)
	}
	for _, b := range was {
		if !b.deadline.Before(m.clock) {
			m.fatalf("a burst was taken out before its deadline")
		}
		o := b.origin.(*laneOnly)
		own := m.order[o][b.slot]
		m.order[o][b.slot] = slices.DeleteFunc(own, func(x *Burst) bool { return x == b })
		m.all -= b.size()
	}
	var oldest time.Time
	for _, o := range m.origins {
		for _, own := range m.order[o] {
			for _, b := range own {
				if slices.Contains(m.serving, b) {
					continue
				}
				if b.deadline.Before(m.clock) {
					m.fatalf("a burst is left whose deadline has passed")
				}
				oldest = earlier(oldest, b.queued)
			}
		}
	}
	// A rest that was put back has a later start in front of earlier ones, so that the first of a lane need not be the oldest.
	if seen := earlier(ready, held); seen.IsZero() != oldest.IsZero() || seen.Before(oldest) {
		m.fatalf("the first began to wait at %v, and the backlog says %v", oldest, seen)
	}
	for _, b := range was {
		b.next = nil
		m.release(b)
	}
}

// leave has a connection go: what it has waiting is nobody's any more.
func (m *backlogModel) leave() {
	o := m.origins[m.rnd.IntN(len(m.origins))]
	var was []*Burst
	for b := m.backlog.forget(o.lane()); b != nil; b = b.next {
		was = append(was, b)
	}
	for slot, own := range m.order[o] {
		for _, b := range own {
			if !slices.Contains(m.serving, b) {
				m.all -= b.size()
			}
		}
		m.order[o][slot] = slices.DeleteFunc(own, func(b *Burst) bool { return !slices.Contains(m.serving, b) })
	}
	for _, b := range was {
		b.next = nil
		m.release(b)
	}
}

func (m *backlogModel) check() {
	if n := m.backlog.requests(); n != m.all {
		m.fatalf("%d requests wait, want %d", n, m.all)
	}
}

// Whatever comes, crashes, expires: one burst of a slot is out at a time, each connection's come in their order, none is
// lost, and nothing is kept for a connection that has none waiting.
func TestBacklogAgreesWithModel(t *testing.T) {
	for seed := range uint64(300) {
		m := &backlogModel{
			t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 5)), order: make(map[*laneOnly]map[uint16][]*Burst),
			clock: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		}
		for range 1 + m.rnd.IntN(5) {
			o := new(laneOnly)
			m.origins = append(m.origins, o)
			m.order[o] = make(map[uint16][]*Burst)
		}
		for range 600 {
			switch n := m.rnd.IntN(20); {
			case n < 9:
				m.push()
			case n < 14:
				m.pop()
			case n < 18:
				m.end(m.rnd.IntN(3) == 0)
			case n < 19:
				m.expire()
			case m.rnd.IntN(4) == 0:
				m.leave()
			}
			m.check()
		}
		for m.all > 0 || len(m.serving) > 0 {
			m.pop()
			m.end(false)
			m.check()
		}
		for i, s := range m.backlog.slots {
			if s.taken || s.lanes != nil || s.waiting.turn != nil {
				t.Fatalf("seed %d: slot %d is not empty at the end", seed, i+1)
			}
		}
	}
}

// A connection with many bursts for a slot delays another's by one burst only.
func TestKeySlotServesConnectionsInTurn(t *testing.T) {
	var q backlog
	busy, quiet := new(laneOnly), new(laneOnly)
	keyed := func(o *laneOnly) *Burst {
		b := burstOf(1)
		b.origin, b.slot = o, 7
		q.push(o.lane(), b, false)
		return b
	}
	for range 100 {
		keyed(busy)
	}
	single := keyed(quiet)
	for range 2 {
		b := q.pop()
		b.holds.Store(false)
		q.release(b.slot)
	}
	if q.pop() != single {
		t.Error("a single burst waits for more than two of another connection")
	}
}

func TestSlotOf(t *testing.T) {
	seen := make([]int, keySlots+1)
	buf := []byte("key-00000")
	for i := range 100_000 {
		for p, v := len(buf)-1, i; p > 3; p, v = p-1, v/10 {
			buf[p] = byte('0' + v%10)
		}
		s := slotOf(string(buf))
		if s == noSlot || s > keySlots {
			t.Fatalf("%s is in slot %d", buf, s)
		}
		seen[s]++
	}
	// 100,000 balls in 1,024 bins: 98 each, with a standard deviation of 10.
	for s, n := range seen[1:] {
		if n < 40 || n > 170 {
			t.Errorf("slot %d has %d of 100,000 keys", s+1, n)
		}
	}
	// FNV-1a of "a" is e40c292c (Noll's test vectors); its two halves, folded, give the slot.
	if got, want := slotOf("a"), uint16((0xe40c292c^0xe40c)%keySlots+1); got != want {
		t.Errorf("a is in slot %d, want %d", got, want)
	}
}
