package actors

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// ledger notes who answered each request of a burst.
type ledger []atomic.Int32

func (l ledger) check(t *testing.T, what string) {
	t.Helper()
	for k := range l {
		if n := l[k].Load(); n != 1 {
			t.Fatalf("%s: request %d was answered %d times", what, k, n)
		}
	}
}

// stepper serves a burst in steps, one change of the cursor each, as serve.go does. step is false when there is nothing
// left for it to do.
type stepper struct {
	burst *Burst
	by    ledger
	k     int
	phase phase // of its own view
	alone bool  // everything but request k was taken away
	lost  bool  // the burst was seized
}

func (w *stepper) step() bool {
	if w.lost || w.phase == done {
		return false
	}
	b := w.burst
	switch w.phase {
	case waiting:
		w.lost, w.phase = !b.begin(), handling
	case handling:
		var ours bool
		ours, w.alone = b.handled(w.k)
		w.lost, w.phase = !ours, encoding
	case encoding:
		w.by[w.k].Add(1)
		b.answered++
		w.k++
		if w.phase = handling; w.alone || w.k == len(w.by) {
			w.phase = done
		}
		b.cursor.Store(b.cursorOf(w.phase, w.k))
	}
	return true
}

// detach takes everything but the request that is being handled away and answers it, as the sweeper does.
func detach(b *Burst, by ledger) bool {
	p, k := b.at()
	if p != handling || !b.move(handling, k, detaching, k) {
		return false
	}
	for i := k + 1; i < len(by); i++ {
		by[i].Add(1)
	}
	b.cursor.Store(b.cursorOf(detached, k))
	return true
}

// Someone detaches the burst or not, and a seizer strikes, at every step of a worker, and again at every later one.
func TestCursorEveryInterleaving(t *testing.T) {
	for n := 1; n <= 4; n++ {
		steps := 1 + 2*n // begin, then handled and encoded for each
		for detachAt := 0; detachAt <= steps+1; detachAt++ {
			for first := 0; first <= steps+1; first++ {
				for second := first; second <= steps+1; second++ {
					checkInterleaving(t, n, steps, detachAt, first, second)
				}
			}
		}
	}
}

func checkInterleaving(t *testing.T, n, steps, detachAt, first, second int) {
	t.Helper()
	name := fmt.Sprintf("%d requests, detached before step %d, seized before %d and %d", n, detachAt, first, second)
	b := burstOf(n)
	by := make(ledger, n)
	w := &stepper{burst: b, by: by}
	taken, alone := 0, false
	seize := func() {
		p, at := b.at()
		k, started, ok := b.seize()
		if want := p == waiting || p == handling || p == detached; ok != want {
			t.Fatalf("%s: seized is %v in phase %d", name, ok, p)
		}
		if !ok {
			return
		}
		if taken++; k != at || k != w.k || started != (p != waiting) {
			t.Fatalf("%s: seized from %d, started %v; the worker was at %d, phase %d", name, k, started, w.k, p)
		}
		if alone {
			by[k].Add(1)
			return
		}
		for ; k < n; k++ {
			by[k].Add(1)
		}
	}
	for i := 0; i <= steps; i++ {
		if i == detachAt {
			alone = detach(b, by)
		}
		if i == first {
			seize()
		}
		if i == second {
			seize()
		}
		if i < steps {
			w.step()
		}
	}
	by.check(t, name)
	if taken > 1 {
		t.Fatalf("%s: seized twice", name)
	}
	if p, _ := b.at(); (p == done) != (taken == 0) || w.lost != (taken == 1) {
		t.Fatalf("%s: ends in phase %d, taken %d times, lost %v", name, p, taken, w.lost)
	}
	if b.answered != w.k {
		t.Fatalf("%s: the worker answered %d, the burst counts %d", name, w.k, b.answered)
	}
}

// Of a worker that serves, one who would detach and two who would seize, exactly one answers each request, and who was
// refused touches nothing: the replies are plain memory, and the race detector is the witness too.
func TestCursorConcurrent(t *testing.T) {
	const rounds = 4000
	for round := range rounds {
		rnd := rand.New(rand.NewPCG(uint64(round), 4))
		n := 1 + rnd.IntN(12)
		b := burstOf(n)
		by := make(ledger, n)
		pause := rnd.IntN(4 * n)
		out := make([]int, n) // who replied to each request
		var wg sync.WaitGroup
		var won atomic.Int64
		var alone atomic.Bool // set before the cursor says detached
		wg.Go(func() {
			if !b.begin() {
				return
			}
			for k := range n {
				if k%3 == 0 {
					runtime.Gosched()
				}
				ours, last := b.handled(k)
				if !ours {
					return
				}
				out[k] = 1
				by[k].Add(1)
				if last || k+1 == n {
					b.cursor.Store(b.cursorOf(done, k+1))
					return
				}
				b.cursor.Store(b.cursorOf(handling, k+1))
			}
		})
		if round%2 == 0 {
			wg.Go(func() {
				for {
					p, k := b.at()
					if p >= detaching {
						return
					}
					if p != handling || rnd.IntN(4) > 0 || !b.move(handling, k, detaching, k) {
						runtime.Gosched()
						continue
					}
					alone.Store(true)
					for i := k + 1; i < n; i++ {
						out[i] = 3
						by[i].Add(1)
						runtime.Gosched()
					}
					b.cursor.Store(b.cursorOf(detached, k))
					return
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				for range pause {
					runtime.Gosched()
				}
				for {
					k, _, ok := b.seize()
					if ok {
						won.Add(1)
						end := n
						if alone.Load() {
							end = k + 1
						}
						for ; k < end; k++ {
							out[k] = 2
							by[k].Add(1)
						}
						return
					}
					if p, _ := b.at(); p == done || p == seized {
						return
					}
					runtime.Gosched()
				}
			})
		}
		wg.Wait()
		by.check(t, fmt.Sprintf("round %d", round))
		if won.Load() > 1 {
			t.Fatalf("round %d: seized %d times", round, won.Load())
		}
		for k := 1; k < n; k++ {
			if out[k] == 1 && out[k-1] != 1 {
				t.Fatalf("round %d: the worker answered %d after %d was taken from it", round, k, k-1)
			}
		}
	}
}

// A worker whose handler returns while the burst is being detached waits for that, and then has its request.
func TestHandledWaitsForDetaching(t *testing.T) {
	b := burstOf(3)
	b.begin()
	if !b.move(handling, 0, detaching, 0) {
		t.Fatal("cannot be detached")
	}
	if _, _, ok := b.seize(); ok {
		t.Error("seized while somebody detaches it")
	}
	calling, result := make(chan struct{}), make(chan [2]bool)
	go func() {
		close(calling)
		ours, alone := b.handled(0)
		result <- [2]bool{ours, alone}
	}()
	<-calling
	for range 1000 {
		runtime.Gosched()
	}
	b.cursor.Store(b.cursorOf(detached, 0))
	if got := <-result; got != [2]bool{true, true} {
		t.Errorf("ours, alone: %v, want both", got)
	}
	if p, k := b.at(); p != encoding || k != 0 {
		t.Errorf("request %d in phase %d, want 0, encoding", k, p)
	}
}

func serveAll(b *Burst) {
	w := &stepper{burst: b, by: make(ledger, b.size())}
	for w.step() {
	}
}

// A compare-and-swap by someone who looked at an earlier life of a burst fails, though its phase and request be the same.
func TestEpochOutdatesCursors(t *testing.T) {
	for steps := range 6 { // where both lives stand when the cursor is loaded and used
		b := burstOf(3)
		w := &stepper{burst: b, by: make(ledger, 3)}
		for range steps {
			w.step()
		}
		earlier := b.cursor.Load()
		for w.step() {
		}
		b.reset() // and not into the pool, as the test goes on with it

		b.frames = make([]transport.Frame, 3)
		w = &stepper{burst: b, by: make(ledger, 3)}
		for range steps {
			w.step()
		}
		if p, k := b.at(); b.cursor.Load()&0xffffffff != earlier&0xffffffff {
			t.Fatalf("step %d: phase %d of request %d in the second life: not what the test is about", steps, p, k)
		}
		// What seize does, with a cursor loaded too early.
		if b.cursor.CompareAndSwap(earlier, earlier&^0xff|uint64(seized)) {
			t.Fatalf("step %d: seized with the cursor of an earlier life", steps)
		}
		for w.step() {
		}
		w.by.check(t, fmt.Sprintf("second life, step %d", steps))
	}
}

// A burst that may still be in somebody's hands is not given to anybody else.
func TestRecycle(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(*Burst)
		want    bool
	}{
		{"done", serveAll, true},
		{"waiting", func(*Burst) {}, false},
		{"handling", func(b *Burst) { b.begin() }, false},
		{"encoding", func(b *Burst) { b.begin(); b.handled(0) }, false},
		{"seized while waiting", func(b *Burst) { b.seize() }, false},
		{"detached", func(b *Burst) { b.begin(); detach(b, make(ledger, 2)) }, false},
		{"seized while handling", func(b *Burst) { b.begin(); b.seize() }, false},
		{"kept", func(b *Burst) { serveAll(b); b.kept = true }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := burstOf(2)
			b.buf, b.out, b.ctx, b.next = []byte("in"), []byte("out"), new(requestContext), new(Burst)
			b.inline, b.taken, b.refusal, b.segment = true, true, &messages.Status{}, new(segment)
			tt.prepare(b)
			if got := b.spare() != nil; got != tt.want {
				t.Errorf("its buffer is spare: %v, want %v", got, tt.want)
			}
			before := b.cursor.Load()
			b.reset() // and not into the pool, as the test goes on with it
			if !tt.want {
				if b.cursor.Load() != before || b.buf == nil || len(b.frames) != 2 {
					t.Error("it was recycled")
				}
				return
			}
			if p, k := b.at(); p != waiting || k != 0 || b.cursor.Load() == 0 {
				t.Errorf("it starts at request %d in phase %d, cursor %x", k, p, b.cursor.Load())
			}
			if b.buf != nil || b.out != nil || b.ctx != nil || b.next != nil || b.refusal != nil || b.segment != nil || b.origin != nil ||
				b.inline || b.taken || b.answered != 0 || b.size() != 0 {
				t.Errorf("it still holds on to its former life: %+v", b)
			}
		})
	}
}

func TestBurstFrame(t *testing.T) {
	b := &Burst{buf: []byte("xaaxbbb"), frames: []transport.Frame{{Start: 1, End: 3}, {Start: 4, End: 7}}, refusal: &messages.Status{}}
	if b.size() != 3 {
		t.Errorf("size is %d, want 3: two frames and a refusal", b.size())
	}
	for k, want := range []string{"aa", "bbb", ""} {
		if frame, refused := b.frame(k); string(frame) != want || refused != (k == 2) {
			t.Errorf("frame %d is %q, refused %v", k, frame, refused)
		}
	}
}

// A burst that waits keeps its frames, and a buffer only if that is mostly frames.
func TestCompact(t *testing.T) {
	const size = 256
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		bufs := transport.NewBuffers(size)
		b := &Burst{buf: bufs.Get()}
		var want [][]byte
		used := 0
		for range 1 + rnd.IntN(5) {
			b.buf = append(b.buf, "hh"...) // a header, not of the frame
			start := len(b.buf)
			for range rnd.IntN(45) {
				b.buf = append(b.buf, byte(rnd.IntN(256)))
			}
			b.frames = append(b.frames, transport.Frame{Start: start, End: len(b.buf)})
			want = append(want, bytes.Clone(b.buf[start:]))
			used += len(b.buf) - start
		}
		b.compact(bufs)
		for k := range want {
			if frame, refused := b.frame(k); refused || !bytes.Equal(frame, want[k]) {
				t.Fatalf("seed %d: frame %d is %q, want %q", seed, k, frame, want[k])
			}
		}
		if small := used <= size/2; small != (bufs.Held() == 0) || small && cap(b.buf) > used {
			t.Fatalf("seed %d: %d bytes of frames in a buffer of %d, %d buffers held", seed, used, cap(b.buf), bufs.Held())
		}
	}
}

func BenchmarkBurstCursor(b *testing.B) {
	burst := burstOf(1)
	b.ReportAllocs()
	for b.Loop() {
		if !burst.begin() {
			b.Fatal("seized")
		}
		if ours, _ := burst.handled(0); !ours {
			b.Fatal("seized")
		}
		burst.epoch++
		burst.cursor.Store(burst.cursorOf(waiting, 0))
	}
}

// A context that a handler may have kept is not given to anybody else; any other is, and does not remember.
func TestContextOfAnotherLife(t *testing.T) {
	for _, exposed := range []bool{false, true} {
		b := burstOf(1)
		before := time.Now()
		b.deadline = before
		c := &connection{stage: &Stage{base: t.Context()}}
		b.newContext(c)
		ctx := b.ctx
		<-ctx.Done() // a real context stands behind it now
		ctx.end()
		serveAll(b)
		b.exposed = exposed
		b.reset() // and not into the pool, as the test goes on with it
		b.deadline = before.Add(time.Hour)
		b.newContext(c)
		if (b.ctx == ctx) == exposed {
			t.Errorf("exposed %v: used again %v", exposed, b.ctx == ctx)
		}
		if at, _ := b.ctx.Deadline(); !at.Equal(b.deadline) || b.ctx.Err() != nil {
			t.Errorf("exposed %v: the deadline is %v, the error %v", exposed, at, b.ctx.Err())
		}
		if exposed && ctx.Err() == nil {
			t.Error("who kept the context is not told that it has ended")
		}
	}
}
