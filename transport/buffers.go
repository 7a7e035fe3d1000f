package transport

import (
	"math/bits"
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

	large [largeClasses]sync.Pool // of *byte, by class
}

// A large buffer has the capacity of a class: eight for each power of two, so that at most a ninth of it is not needed. The
// largest class holds 1 GiB.
const largeClasses = 8 * 31

// classOf returns the class for n bytes, and the capacity of its buffers.
func classOf(n int) (class, capacity int) {
	k := max(bits.Len(uint(n-1)), 4) // n is at most 1<<k, and more than half of that
	unit := 1 << (k - 4)
	units := (n + unit - 1) / unit // from 9 to 16, or fewer for the few bytes that no class is for
	return 8*k + max(units, 9) - 9, max(units, 9) * unit
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

// GetLarge returns a buffer of length 0 that has room for n bytes, more than Size. It is not counted as held. What it held
// before is still in it. The pool keeps none longer than the garbage collector lets it.
func (b *Buffers) GetLarge(n int) []byte {
	class, capacity := classOf(n)
	if class >= largeClasses {
		return make([]byte, 0, n)
	}
	if p, ok := b.large[class].Get().(*byte); ok {
		return unsafe.Slice(p, capacity)[:0]
	}
	return make([]byte, 0, capacity)
}

// Grow returns a buffer with what is in buf and room for n bytes more. If it is not buf itself, that was given to Put.
func (b *Buffers) Grow(buf []byte, n int) []byte {
	if cap(buf)-len(buf) >= n {
		return buf
	}
	larger := append(b.GetLarge(max(len(buf)+n, b.size+1)), buf...)
	b.Put(buf)
	return larger
}

// Put takes back a buffer that nobody uses any more. A buffer whose capacity is neither Size nor that of a large one is
// dropped, so that any may be given. Only whole buffers: a sub-slice that has lost its start is dropped, and then counts as
// held for ever.
func (b *Buffers) Put(buf []byte) {
	if cap(buf) > b.size {
		if class, capacity := classOf(cap(buf)); capacity == cap(buf) && class < largeClasses {
			b.large[class].Put(unsafe.SliceData(buf))
		}
		return
	}
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
