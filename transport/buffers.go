package transport

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// Buffers is a pool of byte buffers of one size. Any goroutine may use it. The zero value is not usable.
type Buffers struct {
	size int
	held atomic.Int64
	last atomic.Pointer[Timeouts]
	pool sync.Pool // of *byte: a pointer fits into an interface without an allocation, a slice does not
}

// NewBuffers returns a pool of buffers of size bytes each. It panics if size is not positive.
func NewBuffers(size int) *Buffers {
	if size <= 0 {
		panic("transport: the size of a buffer must be positive")
	}
	return &Buffers{size: size}
}

// Size returns how many bytes each buffer holds.
func (b *Buffers) Size() int { return b.size }

// Get returns a buffer of length 0 and of capacity Size. What it held before is still in it.
func (b *Buffers) Get() []byte {
	b.held.Add(1)
	if p, ok := b.pool.Get().(*byte); ok {
		return unsafe.Slice(p, b.size)[:0]
	}
	return make([]byte, 0, b.size)
}

// Put takes back a buffer that nobody uses any more. A buffer whose capacity is not Size is dropped, so that one that
// was outgrown, or allocated for a large frame, may be given too. Only whole buffers: a sub-slice that has lost its
// start is dropped, and then counts as held for ever.
func (b *Buffers) Put(buf []byte) {
	if cap(buf) != b.size {
		return
	}
	b.held.Add(-1)
	b.pool.Put(unsafe.SliceData(buf))
}

// Held returns how many buffers are out: taken with Get and not yet given to Put.
func (b *Buffers) Held() int64 { return b.held.Load() }

// share returns t, as one that readers with the same buffers and the same time-outs have together.
func (b *Buffers) share(t Timeouts) *Timeouts {
	if last := b.last.Load(); last != nil && *last == t {
		return last
	}
	fresh := new(Timeouts)
	*fresh = t
	b.last.Store(fresh)
	return fresh
}
