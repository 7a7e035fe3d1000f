package actors

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

func burstOf(n int) *Burst { return &Burst{frames: make([]transport.Frame, n)} }

// Between two bursts of one lane every other lane that had some waiting all the time is served once, each lane first in,
// first out; what was pushed to the front comes first.
func TestQueueAgreesWithModel(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		var q queue
		lanes := make([]lane, 1+rnd.IntN(8))
		model := make([][]*Burst, len(lanes))
		since := make([][]int, len(lanes)) // since[i][j]: bursts of j served since i was, or since i was last empty
		for i := range since {
			since[i] = make([]int, len(lanes))
		}
		requests := 0
		push := func() {
			i, b := rnd.IntN(len(lanes)), burstOf(1+rnd.IntN(9))
			if rnd.IntN(8) == 0 {
				b.refusal = &messages.Status{}
			}
			if len(model[i]) == 0 {
				clear(since[i])
			}
			if rnd.IntN(5) == 0 {
				q.pushFront(&lanes[i], b)
				model[i] = slices.Insert(model[i], 0, b)
			} else {
				q.push(&lanes[i], b)
				model[i] = append(model[i], b)
			}
			requests += b.size()
		}
		pop := func() {
			b := q.pop()
			if b == nil {
				if requests != 0 {
					t.Fatalf("seed %d: nothing, and %d requests wait", seed, requests)
				}
				return
			}
			i := slices.IndexFunc(model, func(l []*Burst) bool { return len(l) > 0 && l[0] == b })
			if i < 0 {
				t.Fatalf("seed %d: got a burst that is not the first of its lane", seed)
			}
			model[i] = model[i][1:]
			requests -= b.size()
			if b.next != nil {
				t.Fatalf("seed %d: the burst still leads to another", seed)
			}
			clear(since[i])
			for j := range lanes {
				if j == i || len(model[j]) == 0 {
					continue
				}
				if since[j][i]++; since[j][i] > 1 {
					t.Fatalf("seed %d: lane %d was served twice while lane %d waited", seed, i, j)
				}
			}
		}
		check := func() {
			if q.requests != requests {
				t.Fatalf("seed %d: the queue counts %d requests, want %d", seed, q.requests, requests)
			}
		}
		for range 500 {
			if rnd.IntN(2) == 0 || (rnd.IntN(3) == 0 && requests < 200) {
				push()
			} else {
				pop()
			}
			check()
		}
		for requests > 0 {
			pop()
			check()
		}
		if q.pop() != nil || q.turn != nil || q.last != nil {
			t.Fatalf("seed %d: the queue is not empty at the end", seed)
		}
		for i := range lanes {
			if lanes[i].queued || lanes[i].head != nil || lanes[i].tail != nil {
				t.Fatalf("seed %d: lane %d is not empty at the end", seed, i)
			}
		}
	}
}

func TestQueueServesLanesInTurn(t *testing.T) {
	var q queue
	var busy, quiet lane
	for range 100 {
		q.push(&busy, burstOf(1))
	}
	single := burstOf(1)
	q.push(&quiet, single)
	q.pop()
	if q.pop() != single {
		t.Error("a single burst waits for more than one of another lane")
	}
}

func TestQueuePushFront(t *testing.T) {
	var q queue
	var l lane
	a, b, c := burstOf(1), burstOf(2), burstOf(3)
	q.push(&l, b)
	q.pushFront(&l, a)
	q.push(&l, c)
	for i, want := range []*Burst{a, b, c, nil} {
		if got := q.pop(); got != want {
			t.Errorf("burst %d is not the one expected", i)
		}
	}
	// Into an empty lane: what is pushed afterwards comes behind it.
	q.pushFront(&l, b)
	q.push(&l, c)
	if q.pop() != b || q.pop() != c || q.requests != 0 {
		t.Error("a lane is out of order after a pushFront into an empty one")
	}
}

func BenchmarkQueue(b *testing.B) {
	var q queue
	lanes := make([]lane, 64)
	for i := range lanes {
		q.push(&lanes[i], burstOf(16))
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		burst := q.pop()
		q.push(&lanes[i%len(lanes)], burst)
		i++
	}
}
