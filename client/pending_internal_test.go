package client

import "testing"

// Ids go round, past those that are still in flight, and are never 0.
func TestIDsGoRound(t *testing.T) {
	p := newPending(true)
	old := new(sent)
	p.add(old)
	p.last = maxID - 2
	var ids []uint64
	for range 4 {
		s := new(sent)
		p.add(s)
		ids = append(ids, s.id)
	}
	if want := [4]uint64{maxID - 1, maxID, 2, 3}; [4]uint64(ids) != want {
		t.Errorf("ids %d, want %d", ids, want)
	}
	if p.take(1) != old || p.take(1) != nil || p.len() != 4 {
		t.Error("the oldest is not found by its id, once")
	}
}

// The ring keeps the order when it grows and goes round.
func TestPendingInOrder(t *testing.T) {
	p := newPending(false)
	next, first := uint64(0), uint64(0)
	for round := range 100 {
		for range round {
			next++
			p.add(&sent{nth: next})
		}
		for range round * 2 / 3 {
			first++
			if s := p.take(0); s == nil || s.nth != first {
				t.Fatalf("got %+v, want number %d", s, first)
			}
		}
	}
	if left := p.takeAll(); uint64(len(left)) != next-first || left[0].nth != first+1 || p.len() != 0 {
		t.Errorf("%d are left, want %d", len(left), next-first)
	}
	if p.take(0) != nil {
		t.Error("one more than all")
	}
}
