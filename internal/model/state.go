//go:build model

package model

const (
	maxRequests = 4
	maxBursts   = 6
	maxSegments = 6
	maxWorkers  = 4 // those included that take the place of one that was given up
	maxReaders  = 2 // likewise
	none        = -1
)

// state is everything that decides what can happen. It holds single bytes only, so that it can be hashed as it lies in
// memory, and no pointers: bursts, segments and workers are numbers.
type state struct {
	conn    connection
	pool    pool
	bursts  [maxBursts]burst
	workers [maxWorkers]worker
	readers [maxReaders]reader
	sweeper sweeper
	session session
	world   world
	wrong   property
}

// world is what can still go wrong, and the time.
type world struct {
	crashes  int8 // panics in a handler or in encoding
	goexits  int8
	hangs    int8 // handlers that never return
	retries  int8 // crashes of handlers that are idempotent
	stalls   int8 // workers that the sweeper takes for stalled
	reliefs  int8 // workers that it takes for slow
	drops    int8 // failures of the socket
	expires  int8 // of the drain
	restarts int8
	ticks    int8 // how often deadlines may still pass
	time     int8 // a burst's deadline has passed if it was born before
}

// reply is an answer: to which request, and which.
type reply struct{ request, kind int8 }

const (
	garbage int8 = iota // part of a reply that did not encode
	result
	crashed
	late
	rejected
	unavailable
)

// replies is a buffer of encoded replies.
type replies struct {
	n   int8
	all [maxRequests]reply
}

func (r *replies) add(s *state, x reply) {
	if r.n == maxRequests {
		s.fail(oneReply)
		return
	}
	r.all[r.n] = x
	r.n++
}

func (r *replies) cut(n int8) {
	for ; r.n > n; r.n-- {
		r.all[r.n-1] = reply{}
	}
}

// phase is the phase of a cursor.
type phase int8

const (
	waiting phase = iota
	handling
	encoding
	detaching
	detached
	seized
	done
)

// cursor is Burst.cursor.
type cursor struct {
	phase phase
	k     int8
	epoch int8
}

// burst is a Burst.
type burst struct {
	cursor   cursor
	first    int8 // the number of its first request
	size     int8
	segment  int8
	out      replies
	answered int8
	inline   bool
	kept     bool
	born     int8

	// What the code does not have, but the properties speak of.
	use     use
	life    int8 // how often it was recycled
	owner   who  // who may write to it
	spoiled bool // it was seized or detached, or its handler crashed
}

type use int8

const (
	fresh use = iota
	used
	pooled
	gone // to the garbage collector
)

// who is a process.
type who int8

const (
	nobody who = iota
	theSession
	theSweeper
	thePool
	theWorld
	reader0
	worker0 = reader0 + maxReaders
)

// connection is a connection.
type connection struct {
	mu         who // who holds the lock over several steps
	head, tail int8
	segments   [maxSegments]segment
	inflight   int8
	taken      int8 // bursts read from the socket
	decoded    int8
	answered   int8
	dropped    int8
	sealed     bool
	closed     bool
	ended      bool // the input
	stop       bool // the reader's order
	replaced   bool // the first reader was
	arrival    arrival
	woken      bool
	wire       replies // what the peer has
}

type arrival int8

const (
	arrivalNone arrival = iota
	arrivalPending
	arrivalAdmitted
	arrivalRefused
)

// segment is a segment of the window.
type segment struct {
	used     bool
	requests int8
	first    int8 // not in the code
	out      replies
	done     bool
	burst    int8
	next     int8
}

// pool is the router and the pool's actor.
type pool struct {
	idle   [maxWorkers]bool // by slot
	queue  [maxBursts]int8
	length int8
	slots  [maxWorkers]int8
	freed  [maxWorkers]bool // workers that were given up, as the pool will hear
	vacant [maxWorkers]bool // slots
}

// at is where a process is: the name of its next step.
type at int8

func start(sc *Scenario) *state {
	s := new(state)
	s.conn.head, s.conn.tail = none, none
	for i := range s.conn.segments {
		s.conn.segments[i].burst = none
	}
	for i := range s.pool.slots {
		s.pool.slots[i] = none
		s.workers[i] = worker{current: none, burst: none, rest: none, reader: none}
		if i < sc.Workers {
			s.workers[i].at, s.workers[i].alive, s.workers[i].slot = workerResting, true, int8(i)
			s.pool.slots[i], s.pool.idle[i] = int8(i), true
		}
	}
	for i := range s.readers {
		s.readers[i].at = readerGone
	}
	s.readers[0].at = readerTake
	s.sweeper = sweeper{burst: none, rest: none}
	s.world = world{
		crashes: sc.Crashes, goexits: sc.Goexits, hangs: sc.Hangs, retries: sc.Retries, stalls: sc.Stalls, reliefs: sc.Reliefs, drops: sc.Drops, restarts: sc.Restarts, expires: sc.Expires, ticks: sc.Deadlines,
	}
	return s
}

// newBurst is newBurst, or, if anew, new(Burst).
func (s *state) newBurst(anew bool) int8 {
	free := int8(none)
	for i := range s.bursts {
		switch s.bursts[i].use {
		case pooled:
			if !anew {
				s.bursts[i].use = used
				return int8(i)
			}
		case fresh:
			if free == none {
				free = int8(i)
			}
		}
	}
	if free == none {
		panic("more bursts than the model has room for")
	}
	s.bursts[free].use = used
	return free
}

// collect is the garbage collector, without which there would be more states that differ in nothing.
func (s *state) collect() {
	var has [maxBursts]bool
	see := func(b int8) {
		if b >= 0 {
			has[b] = true
		}
	}
	for i := range s.conn.segments {
		if g := &s.conn.segments[i]; g.used && !g.done {
			see(g.burst)
		}
	}
	for _, b := range s.pool.queue[:s.pool.length] {
		see(b)
	}
	for i := range s.workers {
		see(s.workers[i].burst)
		see(s.workers[i].current)
		see(s.workers[i].rest)
	}
	for i := range s.readers {
		if r := &s.readers[i]; r.at > readerArrive {
			see(r.burst)
			for _, b := range r.pieces[:r.left] {
				see(b)
			}
		}
	}
	see(s.sweeper.burst)
	see(s.sweeper.rest)
	for _, b := range s.sweeper.pieces[:s.sweeper.left] {
		see(b)
	}
	for i := range s.bursts {
		if s.bursts[i].use == used && !has[i] {
			s.bursts[i] = burst{use: gone}
		}
	}
}

// recycle is Burst.recycle.
func (m *machine) recycle(s *state, i int8, life int8) {
	b := s.touch(i, life)
	if m.on(OnlyDoneRecycles) && b.cursor.phase != done || b.kept {
		return
	}
	if b.spoiled {
		s.fail(noReuse)
	}
	epoch := b.cursor.epoch
	if m.on(Epoch) {
		epoch++
	}
	*b = burst{use: pooled, life: b.life + 1, cursor: cursor{epoch: epoch}}
}

// move is Burst.move.
func (b *burst) move(from phase, k int8, to phase) bool {
	if b.cursor.phase != from || b.cursor.k != k {
		return false
	}
	b.cursor.phase = to
	return true
}

// wins is move for who owns the burst from then on. Without the guard, the cursor is just set; that makes nobody the
// owner who would not have won it.
func (b *burst) wins(by who, guarded bool, from phase, k int8, to phase) bool {
	if b.move(from, k, to) {
		b.owner = by
		return true
	}
	if !guarded {
		b.cursor.phase, b.cursor.k = to, k
		return true
	}
	return false
}
