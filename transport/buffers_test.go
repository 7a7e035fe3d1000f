package transport_test

import (
	"testing"

	"github.com/understudy-go/understudy/transport"
)

func TestBuffers(t *testing.T) {
	bufs := transport.NewBuffers(64)
	a, b := bufs.Get(), bufs.Get()
	if len(a) != 0 || cap(a) != 64 || bufs.Size() != 64 || bufs.Held() != 2 {
		t.Fatalf("len %d, cap %d, size %d, held %d", len(a), cap(a), bufs.Size(), bufs.Held())
	}
	bufs.Put(nil)
	bufs.Put(make([]byte, 65))
	if bufs.Held() != 2 {
		t.Fatalf("held %d after foreign buffers", bufs.Held())
	}
	bufs.Put(append(a, "used"...))
	bufs.Put(b)
	if bufs.Held() != 0 {
		t.Fatalf("held %d", bufs.Held())
	}
	if c := bufs.Get(); len(c) != 0 || cap(c) != 64 {
		t.Fatalf("len %d, cap %d", len(c), cap(c))
	}
}

func TestBuffersDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	bufs := transport.NewBuffers(4096)
	if n := testing.AllocsPerRun(1000, func() { bufs.Put(bufs.Get()) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// A large buffer has room for what was asked, and not much more; it is used again, and for nothing that it is too small for.
func TestLargeBuffers(t *testing.T) {
	bufs := transport.NewBuffers(64)
	for n := 65; n <= 1<<30; n += 1 + n/7 {
		if n > 1<<20 {
			n = 1 << 30 // allocated, and not touched
		}
		buf := bufs.GetLarge(n)
		if len(buf) != 0 || cap(buf) < n || cap(buf) > n+n/8+1 {
			t.Fatalf("%d bytes: len %d, cap %d", n, len(buf), cap(buf))
		}
		bufs.Put(buf)
		if again := bufs.GetLarge(n + n/4); cap(again) < n+n/4 {
			t.Fatalf("%d bytes: cap %d", n+n/4, cap(again))
		}
	}
	if bufs.Held() != 0 {
		t.Errorf("%d are held", bufs.Held())
	}
	if raceEnabled {
		return
	}
	if n := testing.AllocsPerRun(1000, func() { bufs.Put(bufs.GetLarge(1 << 20)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestGrow(t *testing.T) {
	bufs := transport.NewBuffers(64)
	buf := append(bufs.Get(), "what is there"...)
	if same := bufs.Grow(buf, 51); &same[0] != &buf[0] {
		t.Error("it had room")
	}
	large := bufs.Grow(buf, 52)
	if string(large) != "what is there" || cap(large)-len(large) < 52 || bufs.Held() != 0 {
		t.Errorf("%q, cap %d, %d held", large, cap(large), bufs.Held())
	}
	larger := bufs.Grow(large, 1<<20)
	if string(larger) != "what is there" || cap(larger) < 1<<20 {
		t.Errorf("%q, cap %d", larger, cap(larger))
	}
}
