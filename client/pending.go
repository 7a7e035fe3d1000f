package client

import (
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy/messages"
)

// sent is a request in flight.
type sent struct {
	id   uint64          // on its connection; 0 without ids
	nth  uint64          // of the requests of its connection; the first is 1
	want []*messages.Arm // where the reply may come
	out  proto.Message   // where the reply goes
	over atomic.Bool     // set by whoever ends it: the reader, or the caller who does not wait any longer
	done chan outcome    // takes the one outcome without blocking
}

// newSent returns a request to be sent. Those that nobody holds any more are used again, but not by another Client: the
// channels of one that lives in a testing/synctest bubble must not leave it.
func (c *Client) newSent(x *exchange) *sent {
	s, _ := c.sents.Get().(*sent)
	if s == nil {
		s = &sent{done: make(chan outcome, 1)}
	}
	s.want, s.out = x.want, x.fresh()
	return s
}

// abandon is the end of the caller's interest. It is false if the outcome has come, or is just coming.
func (s *sent) abandon() bool { return s.over.CompareAndSwap(false, true) }

// finish gives the caller the outcome. It is false if nobody waits for it.
func (s *sent) finish(o outcome) bool {
	if !s.over.CompareAndSwap(false, true) {
		return false
	}
	s.done <- o
	return true
}

// recycle takes back a request that has ended for the caller and the reader.
func (c *Client) recycle(s *sent) {
	s.want, s.out = nil, nil
	s.over.Store(false)
	c.sents.Put(s)
}

// pending holds the requests in flight of a connection: in the order they were sent, or by id.
type pending struct {
	byID  map[uint64]*sent // nil without ids
	last  uint64           // the last id that was given
	queue []*sent          // a ring
	head  int              // the place in queue of the oldest
	n     int              // how many are in queue
}

// newPending makes room as it is needed, for no more than the bound on requests in flight.
func newPending(ids bool) pending {
	if ids {
		return pending{byID: map[uint64]*sent{}}
	}
	return pending{}
}

// add puts in a request, and gives it an id if there are ids.
func (p *pending) add(s *sent) {
	if p.byID != nil {
		for taken := true; taken; _, taken = p.byID[p.last] { // the bound on requests in flight is far below the number of ids
			p.last = p.last%maxID + 1
		}
		s.id = p.last
		p.byID[s.id] = s
		return
	}
	s.id = 0
	if p.n == len(p.queue) {
		bigger := make([]*sent, max(16, 2*p.n))
		copy(bigger[copy(bigger, p.queue[p.head:]):], p.queue[:p.head])
		p.queue, p.head = bigger, 0
	}
	p.queue[(p.head+p.n)%len(p.queue)] = s
	p.n++
}

// take takes out the request that a reply with that id answers, or returns nil.
func (p *pending) take(id uint64) *sent {
	if p.byID != nil {
		s := p.byID[id]
		delete(p.byID, id)
		return s
	}
	if p.n == 0 {
		return nil
	}
	s := p.queue[p.head]
	p.queue[p.head] = nil
	p.head, p.n = (p.head+1)%len(p.queue), p.n-1
	return s
}

// len returns how many requests are in flight.
func (p *pending) len() int { return p.n + len(p.byID) }

// takeAny takes out a request, or returns nil if there is none.
func (p *pending) takeAny() *sent {
	for id := range p.byID {
		return p.take(id)
	}
	return p.take(0)
}

// takeAll takes out every request.
func (p *pending) takeAll() (all []*sent) {
	for s := p.takeAny(); s != nil; s = p.takeAny() {
		all = append(all, s)
	}
	return all
}
