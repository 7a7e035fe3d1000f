package load

// burst are requests that were sent, or meant to be sent, at one time.
type burst struct {
	stamp int64 // nanoseconds since the run's base
	count int64
}

// bursts is a queue of the requests in flight. It grows to as many bursts as there are in flight at a time, which the depth
// bounds, and does not allocate after that. The zero value is empty.
type bursts struct {
	ring       []burst // its length is a power of two
	head, tail uint    // modulo the length
}

const leastRing = 4

func (b *bursts) empty() bool { return b.head == b.tail }

func (b *bursts) first() *burst { return &b.ring[b.head&uint(len(b.ring)-1)] }

func (b *bursts) drop() { b.head++ }

// add notes n requests of one time. Those of the same time as the last ones join them.
func (b *bursts) add(stamp, n int64) {
	if !b.empty() {
		if last := &b.ring[(b.tail-1)&uint(len(b.ring)-1)]; last.stamp == stamp {
			last.count += n
			return
		}
	}
	if b.tail-b.head == uint(len(b.ring)) {
		b.grow()
	}
	b.ring[b.tail&uint(len(b.ring)-1)] = burst{stamp, n}
	b.tail++
}

func (b *bursts) grow() {
	bigger := make([]burst, max(leastRing, 2*len(b.ring)))
	n := uint(0)
	for ; !b.empty(); b.drop() {
		bigger[n] = *b.first()
		n++
	}
	b.ring, b.head, b.tail = bigger, 0, n
}
