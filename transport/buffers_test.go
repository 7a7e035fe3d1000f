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
