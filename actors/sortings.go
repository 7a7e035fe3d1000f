package actors

import (
	"sync"
	"time"
)

// sortings are the bursts that are being sorted by key functions, which are the user's and may not return. Whoever takes a
// burst out has it: its reader when the functions have returned, or the sweeper when its deadline has passed. There are at most
// as many as connections, and as many again as MaxDetached that were taken away: beyond these a connection is not read on.
type sortings struct {
	mu     sync.Mutex
	bursts map[*Burst]struct{}
	stuck  int // whose functions have not returned, although they were taken away
}

func (s *sortings) begin(b *Burst) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bursts == nil {
		s.bursts = make(map[*Burst]struct{})
	}
	s.bursts[b] = struct{}{}
}

// end is false if the burst was taken away.
func (s *sortings) end(b *Burst) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ours := s.bursts[b]
	if !ours {
		s.stuck--
	}
	if delete(s.bursts, b); len(s.bursts) == 0 {
		s.bursts = nil // a map keeps the memory of all that it ever had
	}
	return ours
}

// overdue takes out those whose deadline is before now, and returns how many were taken out in all and are stuck.
func (s *sortings) overdue(now time.Time) (late []*Burst, stuck int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for b := range s.bursts {
		if b.deadline.Before(now) {
			late = append(late, b)
			delete(s.bursts, b)
			s.stuck++
		}
	}
	return late, s.stuck
}

func (s *sortings) any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bursts) > 0
}

// expireSortings answers the bursts whose key functions do not return, and has their connections read on without them.
func (r *router) expireSortings(now time.Time) (busy bool) {
	late, stuck := r.sortings.overdue(now)
	for _, b := range late {
		b.kept = true // a key function is still using it
		if b.takeOver() {
			r.timedOut.Add(int64(b.size()))
			b.refuse(tooLate(true))
			b.ctx.end()
			b.origin.complete(b)
		}
		if stuck <= r.stage.MaxDetached {
			b.origin.readOn()
		}
	}
	return r.sortings.any()
}
