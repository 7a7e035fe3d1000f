package understudy_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// load is so many connections, each of which sends all its requests without waiting for replies.
type load struct {
	connections, requests int
	allowed               map[messages.Code]bool // error codes that may stand in a reply's place
}

func million() load {
	l := load{connections: 200, requests: 5000}
	if raceEnabled {
		l.requests /= 10
	}
	return l
}

func (l load) total() int64 { return int64(l.connections * l.requests) }

// run sends the load and checks every reply in its place. It returns how many were errors.
func (l load) run(t *testing.T, h *host) (failed int64) {
	t.Helper()
	var errors atomic.Int64
	var all sync.WaitGroup
	problems := make(chan error, l.connections)
	for c := range l.connections {
		p := h.dial()
		defer p.Close()
		all.Go(func() {
			var out []byte
			for i := range l.requests {
				m, _ := nth(c, i)
				out = append(out, p.frame(m)...)
			}
			if _, err := p.Write(out); err != nil {
				problems <- fmt.Errorf("connection %d: write: %w", c, err)
			}
		})
		all.Go(func() {
			for i := range l.requests {
				m, err := p.next()
				if err != nil {
					problems <- fmt.Errorf("connection %d: reply %d: %w", c, i, err)
					return
				}
				_, want := nth(c, i)
				if e := m.GetError(); e != nil && l.allowed[messages.Code(e.Code)] {
					errors.Add(1)
					if (e.IncidentId != "") != (e.Code == int32(messages.Internal)) {
						problems <- fmt.Errorf("connection %d: reply %d: %v: INTERNAL has an incident id, and nothing else has", c, i, e)
						return
					}
					continue
				}
				if !proto.Equal(m, want) {
					problems <- fmt.Errorf("connection %d: reply %d: got %v, want %v", c, i, m, want)
					return
				}
			}
			p.closeWrite()
			if m, err := p.next(); err == nil {
				problems <- fmt.Errorf("connection %d: a reply too many: %v", c, m)
			}
		})
	}
	all.Wait()
	close(problems)
	for err := range problems {
		t.Error(err)
	}
	return errors.Load()
}

// A million pipelined requests get a million right replies in their places, and every burst goes through a session, the
// pool and a worker.
func TestMillion(t *testing.T) {
	l := million()
	h := serve(t, understudy.Config{})
	if failed := l.run(t, h); failed != 0 {
		t.Errorf("%d errors", failed)
	}
	c := h.stop().Counts
	if c.Answered != l.total() || c.Codes[messages.OK] != l.total() {
		t.Errorf("answered %d, OK %d, want %d", c.Answered, c.Codes[messages.OK], l.total())
	}
	if all := c.ReaderBursts + c.SplitBursts; c.ReaderBursts == 0 || c.SessionBursts != c.ReaderBursts || c.PoolBursts != all || c.WorkerBursts != all {
		t.Errorf("bursts: %d read, %d through sessions, %d split off, %d through the pool, %d through workers", c.ReaderBursts, c.SessionBursts, c.SplitBursts, c.PoolBursts, c.WorkerBursts)
	}
	t.Logf("%d requests in %d bursts, of which %d waited for a worker", c.Answered, c.WorkerBursts, c.QueuedBursts)
}

// With one request in a hundred crashing its handler, every request has one reply in its place, and the crashed ones'
// are INTERNAL with an incident id.
func TestMillionWithCrashes(t *testing.T) {
	l := million()
	l.allowed = map[messages.Code]bool{messages.Internal: true}
	h := serve(t, understudy.Config{Faults: []string{"panic worker/* p=0.01 seed=1"}})
	failed := l.run(t, h)
	c := h.stop().Counts
	if failed < l.total()*8/1000 || failed > l.total()*12/1000 {
		t.Errorf("%d of %d failed, want about 1%%", failed, l.total())
	}
	if c.Answered != l.total() || c.Crashes != failed || c.Codes[messages.Internal] != failed {
		t.Errorf("answered %d, crashes %d, INTERNAL %d; want %d, %d, %d", c.Answered, c.Crashes, c.Codes[messages.Internal], l.total(), failed, failed)
	}
	if all := c.ReaderBursts + c.SplitBursts; c.PoolBursts != all || c.WorkerBursts != all {
		t.Errorf("bursts: %d read, %d split off, %d through the pool, %d through workers", c.ReaderBursts, c.SplitBursts, c.PoolBursts, c.WorkerBursts)
	}
	t.Logf("%d requests, %d crashes", c.Answered, c.Crashes)
}
