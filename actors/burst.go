package actors

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// Burst is all requests of one read, on their way to a worker. It is position-independent: encoded requests, when they
// arrived, until when they may take; its origin is where the replies go.
//
// A worker serves the requests in order. What it is at, and how far it may go, stands in the cursor, which is changed
// only by compare-and-swap, so that others can seize a request that takes too long: the cursor decides who answers.
//
//	waiting(0) ─▶ handling(k) ─▶ encoding(k) ─▶ handling(k+1) … ─▶ done
//	    │             │  └─▶ detaching(k) ─▶ detached(k) ─▶ encoding(k) ─▶ done
//	    └─────────────┴────────────────────────┴─▶ seized
//
// Detaching leaves the worker with request k alone: the replies before it go their way, and the requests behind it to
// other workers. Whoever seizes answers request k, and all that are behind it.
//
// A worker writes to the burst while it is encoding only, and who detaches or seizes it only afterwards; so nobody reads
// what another writes. A burst that was detached or seized, or whose handler crashed, is never recycled: a handler may
// still be using it.
type Burst struct {
	origin   origin
	segment  *segment
	buf      []byte // holds the frames
	frames   []transport.Frame
	ids      []uint64           // of the requests; nil if the service has none
	wrongs   []*messages.Status // what is wrong with the ids; nil if nothing is
	refusal  *messages.Status   // answers the last request in place of a handler: the stream could not be cut any further
	arrived  int64              // on the router's clock
	ready    int64              // when it could be served, likewise
	ended    int64              // when its last request was served, likewise
	deadline time.Time
	out      []byte // encoded replies, in order
	answered int    // how many of them
	first    int    // the request that its segment begins with
	mute     bool   // no reply follows any more; said is how many there are
	said     int
	oks      int           // of the replies, those that say OK and were not counted yet
	took     time.Duration // what a request took; 0 if it is not known

	slot    uint16      // the key slot of its requests, or noSlot
	holds   atomic.Bool // it holds the slot
	attempt int         // how many crashes its first request has seen
	queued  time.Time   // since when it has waited for a worker

	epoch  uint32 // written by its owner between two lives
	cursor atomic.Uint64

	inline bool   // the reader runs it: it wakes the session and recycles the burst itself
	taken  bool   // a worker has it; of use to the goroutine that runs it inline
	kept   bool   // it is never recycled
	unlent bool   // although it is kept, nobody uses its buffer any more
	next   *Burst // in a lane of the pool's queue
	rest   *Burst // what a crash has left, for the goroutine that runs it inline

	ctx     *requestContext
	exposed bool            // a handler has seen ctx that may keep it
	unseen  *requestContext // of a former life, if none has
}

// origin is where a burst came from and where its replies go.
type origin interface {
	// complete takes the replies of a burst that is done: b.out holds one for each request.
	complete(b *Burst)
	// detach leaves b with request k alone, sends the replies before it on their way, and returns the requests behind it
	// as a burst of their own, or nil if there are none. The caller has made the cursor say detaching. stuck says that b's
	// worker will not be back soon.
	detach(b *Burst, k int, stuck bool) *Burst
	// split makes the requests of b from k on a burst of their own, whose replies go in their place. What b keeps is
	// complete once its own replies are in.
	split(b *Burst, k int) *Burst
	// retry does the same with request k, whose handler crashed, and those behind it.
	retry(b *Burst, k int) *Burst
	// readOn has another goroutine read on, if the one that does so is stuck.
	readOn()
	encoder() *encoder
	lane() *lane
	// piece returns how many requests of a burst belong together, or 0 if all do.
	piece() int
}

// phase is what a burst's worker is doing.
type phase uint8

const (
	waiting   phase = iota // no worker has begun
	handling               // a handler is called for request k
	encoding               // the reply to request k is appended
	detaching              // somebody takes everything but request k away
	detached               // a handler is called for request k, and the burst has no other
	seized                 // request k, and all behind it, were taken away
	done                   // every request has its reply
)

// A cursor is epoch (32 bits), k (24 bits) and phase (8 bits). The epoch counts the burst's lives: a compare-and-swap by
// someone who still looks at an earlier one fails.
const maxBurst = 1 << 24 // requests in one burst

func (b *Burst) cursorOf(p phase, k int) uint64 {
	return uint64(b.epoch)<<32 | uint64(k)<<8 | uint64(p)
}

func (b *Burst) at() (phase, int) {
	c := b.cursor.Load()
	return phase(c & 0xff), int(c >> 8 & (maxBurst - 1))
}

func (b *Burst) move(from phase, k int, to phase, l int) bool {
	return b.cursor.CompareAndSwap(b.cursorOf(from, k), b.cursorOf(to, l))
}

// begin makes the caller the one who serves the burst. It is false if the burst was seized while it waited.
func (b *Burst) begin() bool { return b.move(waiting, 0, handling, 0) }

// limit has the burst, which nobody has seen yet, end so long after its arrival.
func (b *Burst) limit(after time.Duration) {
	b.deadline = b.ctx.conn.stage.router.time(b.arrived).Add(after)
	b.ctx.deadline = b.deadline
}

// takeOver makes the caller the one who answers a whole burst that no worker has begun. Nobody can seize it then.
func (b *Burst) takeOver() bool { return b.move(waiting, 0, encoding, 0) }

// handled ends the call of request k's handler. It is false if the request was seized meanwhile: the result is late, and
// neither the burst nor anything of it may be touched any more. alone says that k is the only request left.
func (b *Burst) handled(k int) (ours, alone bool) {
	if b.move(handling, k, encoding, k) {
		return true, false
	}
	return b.handledAlone(k)
}

// handledAlone is handled for a burst that somebody has taken something away from, or is about to.
func (b *Burst) handledAlone(k int) (ours, alone bool) {
	for {
		if b.move(handling, k, encoding, k) {
			return true, false
		}
		if b.move(detached, k, encoding, k) {
			return true, true
		}
		switch p, _ := b.at(); p {
		case handling, detached: // it was detaching a moment ago
		case detaching:
			runtime.Gosched() // what happens meanwhile is short, and does not wait
		default:
			return false, false
		}
	}
}

// size returns how many requests the burst has.
func (b *Burst) size() int {
	if b.refusal != nil {
		return len(b.frames) + 1
	}
	return len(b.frames)
}

// frame returns the encoded request k, or nil and true where the stream could not be cut.
func (b *Burst) frame(k int) (frame []byte, refused bool) {
	if k == len(b.frames) {
		return nil, true
	}
	f := b.frames[k]
	return b.buf[f.Start:f.End], false
}

// seize takes the burst away from whoever has it: the request that is being handled, if any, and all that follow it. It
// fails if the burst is done, or was seized before, or is between two requests; then it may be tried again. k is the
// first request taken; started says whether its handler was called.
func (b *Burst) seize() (k int, started, ok bool) {
	c := b.cursor.Load()
	k = int(c >> 8 & (maxBurst - 1))
	switch phase(c & 0xff) {
	case waiting:
		return k, false, b.cursor.CompareAndSwap(c, c&^0xff|uint64(seized))
	case handling, detached:
		return k, true, b.cursor.CompareAndSwap(c, c&^0xff|uint64(seized))
	default:
		return k, false, false
	}
}

// gone says whether it was taken away from the pool, as its connection is gone or its requests were answered.
func (b *Burst) gone() bool {
	p, _ := b.at()
	return p == seized
}

// tried says whether the handler of request k was called before, and crashed.
func (b *Burst) tried(k int) bool { return k == 0 && b.attempt > 0 }

// afterTry is a status for a request that was tried before, if it was: then it is not true that it was not started.
func afterTry(s *messages.Status, tried bool) *messages.Status {
	if !tried || !s.NotStarted {
		return s
	}
	started := *s
	started.NotStarted = false
	return &started
}

// refuse answers all requests of a burst that the caller has taken over.
func (b *Burst) refuse(s *messages.Status) {
	e := b.origin.encoder()
	for k := range b.size() {
		b.status(e, k, afterTry(s, b.tried(k)))
		b.answered++
	}
	b.cursor.Store(b.cursorOf(done, b.size()))
}

// bursts recycles bursts that ended as they should.
var bursts = sync.Pool{New: func() any { return new(Burst) }}

func newBurst(o origin) *Burst {
	b := bursts.Get().(*Burst)
	b.origin = o
	return b
}

// newContext gives the burst a context: that of a former life, if nobody can have kept it.
func (b *Burst) newContext(c *connection) {
	if b.ctx, b.unseen = b.unseen, nil; b.ctx == nil {
		b.ctx = new(requestContext)
	}
	b.ctx.conn, b.ctx.deadline = c, b.deadline
}

// recycle gives the burst back, once it is complete, unless it must stay as it is: see above.
func (b *Burst) recycle() {
	if b.reset() {
		bursts.Put(b)
	}
}

// reset begins the burst's next life, unless it must stay as it is.
func (b *Burst) reset() bool {
	if p, _ := b.at(); p != done || b.kept {
		return false
	}
	if b.ctx != nil && !b.exposed {
		b.ctx.reset()
		b.unseen = b.ctx
	}
	b.origin, b.segment, b.buf, b.refusal, b.out, b.next, b.ctx = nil, nil, nil, nil, nil, nil, nil
	b.exposed = false
	b.frames, b.answered, b.ended, b.took, b.inline, b.taken = b.frames[:0], 0, 0, 0, false, false
	b.slot, b.attempt = noSlot, 0
	b.ids, b.wrongs, b.first, b.mute, b.said, b.oks = nil, nil, 0, false, 0, 0
	if b.holds.Load() {
		b.holds.Store(false)
	}
	b.epoch++
	b.cursor.Store(b.cursorOf(waiting, 0))
	return true
}

// spare returns the burst's input buffer if nobody can be using it any more, else nil. What a handler that crashed may still be
// using is not the buffer: one that owns its message never sees it, and one that borrows has given it back, in whatever way
// it came to its end.
func (b *Burst) spare() []byte {
	if p, _ := b.at(); p != done || b.kept && !b.unlent {
		return nil
	}
	return b.buf
}

func bytesIn(frames []transport.Frame) int {
	n := 0
	for _, f := range frames {
		n += f.End - f.Start
	}
	return n
}

// compact makes the burst fit for a wait: a few small requests keep neither a whole read buffer nor the places of many
// frames.
func (b *Burst) compact(bufs *transport.Buffers) {
	if cap(b.frames) > 2*len(b.frames)+8 {
		b.frames = slices.Clone(b.frames)
	}
	used := bytesIn(b.frames)
	if used > cap(b.buf)/2 {
		return
	}
	small := make([]byte, 0, used)
	for i, f := range b.frames {
		start := len(small)
		small = append(small, b.buf[f.Start:f.End]...)
		b.frames[i] = transport.Frame{Start: start, End: len(small)}
	}
	bufs.Put(b.buf)
	b.buf = small
}
