package actors

import (
	"slices"
	"testing"
	"time"
)

// What an actor was asked is in the order of the deadlines, in whichever order it comes, and whatever is taken out meanwhile.
func TestAskListIsInOrder(t *testing.T) {
	base := time.Now()
	l := &askList{}
	all := make(map[uint32]*ask)
	var want []uint32
	for n, at := range []uint32{5, 9, 7, 1, 8, 2, 6, 4, 3} {
		k := &ask{id: at, deadline: base.Add(time.Duration(at) * time.Second)}
		all[at] = k
		l.insert(k)
		want = append(want, at)
		if n%3 == 2 {
			l.remove(all[want[0]])
			want = want[1:]
		}
		slices.Sort(want)
		var forth, back []uint32
		for k := l.first; k != nil; k = k.next {
			forth = append(forth, k.id)
		}
		for k := l.last; k != nil; k = k.before {
			back = append(back, k.id)
		}
		slices.Reverse(back)
		if !slices.Equal(forth, want) || !slices.Equal(back, want) {
			t.Fatalf("after %d: %v and %v backwards, want %v", at, forth, back, want)
		}
	}
}
