package actors

import (
	"slices"
	"testing"
	"time"
)

// What an actor was asked is in the order of the deadlines, in whichever order it comes, and whatever is taken out meanwhile.
func TestAskLineIsInOrder(t *testing.T) {
	base := time.Now()
	l, waiting := &askLine{}, asks{byID: make(map[uint32]*ask)}
	var want []uint32
	for n, at := range []uint32{5, 9, 7, 1, 8, 2, 6, 4, 3} {
		k := &ask{id: at, line: l, burst: &Burst{deadline: base.Add(time.Duration(at) * time.Second)}}
		waiting.byID[at] = k
		l.insert(k)
		want = append(want, at)
		if n%3 == 2 {
			waiting.remove(waiting.byID[want[0]])
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
		if !slices.Equal(forth, want) || !slices.Equal(back, want) || len(waiting.byID) != len(want) {
			t.Fatalf("after %d: %v and %v backwards, want %v", at, forth, back, want)
		}
	}
}
