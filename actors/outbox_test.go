package actors

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// What is written is what was pushed, replies count once their last byte was written, and every buffer comes back once.
func TestOutboxProperties(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		const merge = 64
		out := make(map[*byte]bool) // pushed, not recycled
		recycled := 0
		o := outbox{merge: merge}
		o.recycle = func(buf []byte) {
			if p := unsafe.SliceData(buf); !out[p] {
				t.Fatalf("seed %d: a buffer was recycled that is not out", seed)
			} else {
				delete(out, p)
			}
			recycled++
			// Whoever gets it next writes into it.
			buf = buf[:cap(buf)]
			for i := range buf {
				buf[i] = 0xff
			}
		}
		var pushed, written []byte
		var ends []int // where in the stream each reply ends
		pushes, collected, n := 0, 0, byte(0)
		push := func() {
			// As in the server: a pool's buffer of the size up to which is merged, or a larger one of its own.
			buf := make([]byte, 0, merge)
			replies := 1 + rnd.IntN(4)
			for range replies {
				for range 1 + rnd.IntN(30) {
					buf = append(buf, n)
					n = (n + 1) % 251
				}
				ends = append(ends, len(pushed)+len(buf))
			}
			pushed = append(pushed, buf...)
			out[unsafe.SliceData(buf)] = true
			o.push(buf, content{replies: replies})
			pushes++
		}
		write := func() bool {
			front := o.front()
			if front == nil {
				return false
			}
			k := rnd.IntN(len(front) + 1)
			if rnd.IntN(3) == 0 {
				k = len(front)
			}
			written = append(written, front[:k]...)
			o.advance(k)
			return true
		}
		check := func() {
			if !bytes.HasPrefix(pushed, written) {
				t.Fatalf("seed %d: wrote something else than was pushed", seed)
			}
			if o.bytes != len(pushed)-len(written) {
				t.Fatalf("seed %d: %d bytes left, want %d", seed, o.bytes, len(pushed)-len(written))
			}
			if rnd.IntN(2) == 0 {
				n, _ := o.collect()
				collected += n.replies
			}
			if o.pending()+o.written.replies+collected != len(ends) {
				t.Fatalf("seed %d: %d pending, %d written and %d collected, want %d in all", seed, o.pending(), o.written.replies, collected, len(ends))
			}
			// Replies count buffer by buffer, so never too early, and exactly once their buffer's last byte is out.
			whole := 0
			for whole < len(ends) && ends[whole] <= len(written) {
				whole++
			}
			if counted := o.written.replies + collected; counted > whole {
				t.Fatalf("seed %d: %d replies counted, and only %d were written to the end", seed, counted, whole)
			} else if o.off == 0 && counted != whole {
				t.Fatalf("seed %d: %d replies counted, and %d were written to the end of a buffer", seed, counted, whole)
			}
			for i, buf := range o.bufs {
				if len(buf) > merge && cap(buf) == merge {
					t.Fatalf("seed %d: buffer %d was merged to %d bytes, the limit is %d", seed, i, len(buf), merge)
				}
			}
			if len(out) != pushes-recycled {
				t.Fatalf("seed %d: %d buffers out, want %d", seed, len(out), pushes-recycled)
			}
		}
		for range 200 {
			if rnd.IntN(2) == 0 {
				push()
			} else {
				write()
			}
			check()
		}
		for write() {
			check()
		}
		last, _ := o.collect()
		collected += last.replies
		if n, sent := o.collect(); !bytes.Equal(written, pushed) || collected != len(ends) || n != (content{}) || sent != 0 || o.bytes != 0 {
			t.Fatalf("seed %d: wrote %d of %d bytes, %d of %d replies; %d bytes left", seed, len(written), len(pushed), collected, len(ends), o.bytes)
		}
		if len(out) != 0 || recycled != pushes {
			t.Fatalf("seed %d: %d buffers recycled of %d", seed, recycled, pushes)
		}
	}
}

func TestOutboxMergesUpToItsLimit(t *testing.T) {
	recycled := 0
	o := outbox{merge: 10, recycle: func([]byte) { recycled++ }}
	steps := []struct {
		push       string
		front      string // what stands first after it
		buffers    int
		isRecycled int
	}{
		{"abcd", "abcd", 1, 0},
		{"efghij", "abcdefghij", 1, 1}, // exactly the limit
		{"k", "abcdefghij", 2, 1},
		{"lmnopqrstuvwxyz", "abcdefghij", 3, 1}, // larger than the limit by itself
		{"0", "abcdefghij", 4, 1},
		{"1", "abcdefghij", 4, 2},
	}
	for _, s := range steps {
		o.push([]byte(s.push), content{replies: 1})
		if got := string(o.front()); got != s.front || len(o.bufs) != s.buffers || recycled != s.isRecycled {
			t.Errorf("after %q: front %q, %d buffers, %d recycled; want %q, %d, %d", s.push, got, len(o.bufs), recycled, s.front, s.buffers, s.isRecycled)
		}
	}
	// What was half written can still be joined: only its rest stands in front.
	o = outbox{merge: 10, recycle: func([]byte) {}}
	o.push([]byte("abcd"), content{replies: 1})
	o.advance(2)
	o.push([]byte("ef"), content{replies: 1})
	if got := string(o.front()); got != "cdef" {
		t.Errorf("front is %q, want %q", got, "cdef")
	}
}

func BenchmarkOutbox(b *testing.B) {
	o := outbox{merge: 4096, recycle: func([]byte) {}}
	buf := make([]byte, 64, 4096)
	b.ReportAllocs()
	for b.Loop() {
		o.push(buf, content{replies: 1})
		o.advance(len(o.front()))
		if n, _ := o.collect(); n.replies != 1 {
			b.Fatal("not collected")
		}
	}
}

// sixteen replies merged into one buffer before the write.
func BenchmarkOutboxMerging(b *testing.B) {
	var spare [][]byte
	o := outbox{merge: 4096, recycle: func(buf []byte) { spare = append(spare, buf[:cap(buf)]) }}
	for range 16 {
		spare = append(spare, make([]byte, 4096))
	}
	b.ReportAllocs()
	for b.Loop() {
		for range 16 {
			buf := spare[len(spare)-1]
			spare = spare[:len(spare)-1]
			o.push(buf[:64], content{replies: 1})
		}
		o.advance(len(o.front()))
		if n, _ := o.collect(); n.replies != 16 {
			b.Fatal("not collected")
		}
	}
}

// An empty buffer is no end: what comes behind it is written.
func TestOutboxEmptyBuffer(t *testing.T) {
	o := outbox{merge: 4, recycle: func([]byte) {}}
	o.push(nil, content{})
	o.push([]byte("larger"), content{replies: 1})
	if string(o.front()) != "larger" {
		t.Errorf("what comes next is %q", o.front())
	}
}
