package load

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// How large a deck is.
const (
	deckExchanges = 4096      // at most, unless the depth needs more
	deckBytes     = 4 << 20   // of requests or replies at most, unless the depth needs more
	deckLeast     = 16        // exchanges, at least
	deckLimit     = 256 << 20 // bytes of requests or replies that are too many
)

// Deck is a ring of distinct exchanges, encoded in advance. It does not change; any goroutine may use it.
type Deck struct {
	n        int    // exchanges in the ring
	requests []byte // those of the ring, and the first of them again, so that a burst is contiguous wherever it begins
	replies  []byte
	requestAt,
	replyAt []int // where each begins, and where the last one ends
	places func() map[string]int // of each reply; made when the first wrong one comes
}

// NewDeck makes a deck for bursts of at most depth requests. The same seed makes the same deck.
func NewDeck(p Protocol, depth int, seed uint64) (*Deck, error) {
	d := &Deck{requestAt: []int{0}, replyAt: []int{0}}
	rng := rand.New(rand.NewPCG(seed, 0))
	need := max(deckLeast, depth+1)
	for d.n < need || d.n < deckExchanges && max(len(d.requests), len(d.replies)) < deckBytes {
		d.requests, d.replies = p.Exchange(d.n, rng, d.requests, d.replies)
		d.n++
		if len(d.requests) == d.requestAt[d.n-1] || len(d.replies) == d.replyAt[d.n-1] {
			return nil, fmt.Errorf("exchange %d has an empty request or reply, which cannot be told from none", d.n-1)
		}
		// After a few, the others can be foreseen.
		if size := max(len(d.requests), len(d.replies)); size > deckLimit || d.n >= deckLeast/4 && size/d.n > deckLimit/need {
			return nil, fmt.Errorf("%d requests in flight on a connection, of %d bytes or so, are over %d MiB", depth, size/d.n, deckLimit>>20)
		}
		d.requestAt, d.replyAt = append(d.requestAt, len(d.requests)), append(d.replyAt, len(d.replies))
	}
	requests, replies := len(d.requests), len(d.replies)
	d.requests = append(d.requests, d.requests[:d.requestAt[depth]]...)
	d.replies = append(d.replies, d.replies[:d.replyAt[depth]]...)
	for i := 1; i <= depth; i++ {
		d.requestAt = append(d.requestAt, requests+d.requestAt[i])
		d.replyAt = append(d.replyAt, replies+d.replyAt[i])
	}
	d.places = sync.OnceValue(func() map[string]int {
		places := make(map[string]int, d.n)
		for i := range d.n {
			places[string(d.reply(i))] = i
		}
		return places
	})
	return d, nil
}

// reply returns what answers exchange i.
func (d *Deck) reply(i int) []byte { return d.replies[d.replyAt[i]:d.replyAt[i+1]] }

// complete returns how many of the inflight replies from i on end at or before the byte end.
func (d *Deck) complete(i, inflight, end int) int {
	ends := d.replyAt[i+1 : i+1+inflight]
	if inflight > 0 && ends[inflight-1] <= end {
		return inflight
	}
	low, high := 0, inflight // sort.Search, without a call for each step
	for low < high {
		if middle := (low + high) / 2; ends[middle] <= end {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
