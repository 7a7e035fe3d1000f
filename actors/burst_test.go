package actors

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

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

// stepper serves a burst in steps, one compare-and-swap each, as serve.go does. step is false when there is nothing left
// for it to do.
type stepper struct {
	burst *Burst
	by    ledger
	k     int
	phase phase // of its own view
	lost  bool  // the burst was seized
}

func (w *stepper) step() bool {
	if w.lost || w.phase == done {
		return false
	}
	switch w.phase {
	case waiting:
		w.lost, w.phase = !w.burst.begin(), handling
	case handling:
		w.lost, w.phase = !w.burst.handled(w.k), encoding
	case encoding:
		w.by[w.k].Add(1)
		w.burst.encoded(w.k)
		w.k++
		if w.phase = handling; w.k == w.burst.size() {
			w.phase = done
		}
	}
	return true
}

// TestCursorEveryInterleaving has a seizer strike at every step of a worker, and again at every later one.
func TestCursorEveryInterleaving(t *testing.T) {
	for n := 1; n <= 4; n++ {
		steps := 1 + 2*n // begin, then handled and encoded for each
		for first := 0; first <= steps; first++ {
			for second := first; second <= steps; second++ {
				name := fmt.Sprintf("%d requests, seized before steps %d and %d", n, first, second)
				b := burstOf(n)
				by := make(ledger, n)
				w := &stepper{burst: b, by: by}
				taken := 0
				seize := func() {
					p, at := b.at()
					k, started, ok := b.seize()
					if want := p == waiting || p == handling; ok != want {
						t.Fatalf("%s: seized is %v in phase %d", name, ok, p)
					}
					if !ok {
						return
					}
					if taken++; k != at || k != w.k || started != (p == handling) {
						t.Fatalf("%s: seized from %d, started %v; the worker was at %d, phase %d", name, k, started, w.k, p)
					}
					for ; k < n; k++ {
						by[k].Add(1)
					}
				}
				for i := 0; i <= steps; i++ {
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
				if p, _ := b.at(); (p == done) != (taken == 0) || w.lost != (taken == 1) && p != seized {
					t.Fatalf("%s: ends in phase %d, taken %d times", name, p, taken)
				}
				if b.answered != w.k {
					t.Fatalf("%s: the worker answered %d, the burst counts %d", name, w.k, b.answered)
				}
			}
		}
	}
}

// Of a worker that serves and two who would seize, exactly one answers each request, and who was refused touches nothing:
// the replies are plain memory, and the race detector is the witness too.
func TestCursorConcurrent(t *testing.T) {
	const rounds = 4000
	seizures := 0
	for round := range rounds {
		rnd := rand.New(rand.NewPCG(uint64(round), 4))
		n := 1 + rnd.IntN(12)
		b := burstOf(n)
		by := make(ledger, n)
		pause := rnd.IntN(4 * n)
		out := make([]int, n) // which reply each request got
		var wg sync.WaitGroup
		var won atomic.Int64
		wg.Go(func() {
			if !b.begin() {
				return
			}
			for k := 0; k < b.size(); k++ {
				if k%3 == 0 {
					runtime.Gosched()
				}
				if !b.handled(k) {
					return
				}
				out[k] = 1
				by[k].Add(1)
				b.encoded(k)
			}
		})
		for range 2 {
			wg.Go(func() {
				for range pause {
					runtime.Gosched()
				}
				for {
					k, _, ok := b.seize()
					if ok {
						won.Add(1)
						for ; k < n; k++ {
							out[k] = 2
							by[k].Add(1)
						}
						return
					}
					if p, _ := b.at(); p == done || p == seized {
						return
					}
				}
			})
		}
		wg.Wait()
		by.check(t, fmt.Sprintf("round %d", round))
		if won.Load() > 1 {
			t.Fatalf("round %d: seized %d times", round, won.Load())
		}
		seizures += int(won.Load())
		for k := 1; k < n; k++ {
			if out[k] < out[k-1] {
				t.Fatalf("round %d: the worker answered %d after it was seized before it", round, k)
			}
		}
	}
	if seizures == 0 || seizures == rounds {
		t.Logf("seized %d of %d: the test had one outcome only", seizures, rounds)
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
		b.recycle()

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
		{"seized while handling", func(b *Burst) { b.begin(); b.seize() }, false},
		{"crashed", func(b *Burst) { serveAll(b); b.crashed = true }, false},
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
			b.recycle()
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
		if !burst.begin() || !burst.handled(0) {
			b.Fatal("seized")
		}
		burst.encoded(0)
		burst.answered = 0
		burst.epoch++
		burst.cursor.Store(burst.cursorOf(waiting, 0))
	}
}
