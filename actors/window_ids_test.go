package actors

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/understudy-go/understudy/transport"
)

// A window of requests with ids, beside what is known of it: which ids are in flight, and what has finished. Segments are
// appended, split, completed and released at random; ids come again, also while they are in flight.
func TestWindowWithIDs(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := window{unordered: true}
		inFlight := map[uint64]bool{}
		waits := []*segment{}
		finished := [][]byte{} // the ids of segments that were completed and not released, in their order
		for range 300 {
			switch r.IntN(5) {
			case 0, 1:
				b := &Burst{}
				for range 1 + r.IntN(4) {
					b.ids = append(b.ids, uint64(r.IntN(20)))
				}
				b.frames = make([]transport.Frame, len(b.ids))
				b.segment = w.append(b, len(b.ids), 10*len(b.ids))
				b.claimIDs(&w)
				for k, id := range b.ids {
					if refused := b.wrong(k) != nil; refused != (id == 0 || inFlight[id]) {
						t.Fatalf("seed %d: id %d, in flight: %t, is refused: %t", seed, id, inFlight[id], refused)
					} else if !refused {
						inFlight[id] = true
					}
				}
				waits = append(waits, b.segment)
			case 2:
				if len(waits) == 0 {
					continue
				}
				if s := waits[r.IntN(len(waits))]; s.requests > 1 {
					waits = append(waits, w.split(s, 1+r.IntN(s.requests-1), new(Burst)))
				}
			case 3:
				if len(waits) == 0 {
					continue
				}
				i := r.IntN(len(waits))
				s := waits[i]
				waits = append(waits[:i], waits[i+1:]...)
				out := []byte{}
				for _, id := range s.ids {
					out = binary.BigEndian.AppendUint64(out, id)
					delete(inFlight, id)
				}
				w.complete(s, out)
				finished = append(finished, out)
			case 4:
				out, n, ok := w.release()
				if ok != (len(finished) > 0) {
					t.Fatalf("seed %d: released: %t, finished %d", seed, ok, len(finished))
				}
				if ok {
					if string(out) != string(finished[0]) || n != len(out)/8 {
						t.Fatalf("seed %d: released %x (%d requests), want %x", seed, out, n, finished[0])
					}
					finished = finished[1:]
				}
			}
			if len(w.ids) != len(inFlight) {
				t.Fatalf("seed %d: the window knows %d ids, %d are in flight", seed, len(w.ids), len(inFlight))
			}
			pending := 0
			w.pending(func(*Burst) bool { pending++; return true })
			if pending != len(waits) {
				t.Fatalf("seed %d: %d segments pend, want %d", seed, pending, len(waits))
			}
		}
		for _, s := range waits {
			w.complete(s, nil)
		}
		for w.ready() {
			w.release()
		}
		if w.requests != 0 || w.bytes != 0 || w.head != nil || w.tail != nil || w.finished != nil || w.last != nil || w.ids != nil {
			t.Fatalf("seed %d: something is left: %+v", seed, w)
		}
	}
}

// After replies that were broken off nothing is released.
func TestWindowBreaksOff(t *testing.T) {
	var w window
	first, second, third := w.append(new(Burst), 1, 1), w.append(new(Burst), 3, 3), w.append(new(Burst), 1, 1)
	w.complete(third, []byte("c"))
	w.breakOff(second, 1)
	w.complete(second, []byte("b"))
	w.complete(first, []byte("a"))
	for _, want := range []string{"a", "b"} {
		if out, n, ok := w.release(); !ok || string(out) != want || n != 1 {
			t.Errorf("released %q for %d requests, %t; want %q", out, n, ok, want)
		}
	}
	if w.ready() || !w.broken {
		t.Error("something follows")
	}
	if w.drop(); !w.broken {
		t.Error("a window that is dropped forgets that it is broken")
	}
}
