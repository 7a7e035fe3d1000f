package actors

import "github.com/asynkron/protoactor-go/actor"

// askLine holds what one actor was asked, in the order of the deadlines.
type askLine struct {
	handler     *Handler
	first, last *ask
	watched     bool
	target      *actor.PID // who is asked; a PID remembers its process, so each successor of the name has a new one
}

// insert puts an ask in its place. One handler's requests have all the same time, but what has arrived first may be the last to
// come here: its session was being restarted, or a key function before it took long.
func (l *askLine) insert(k *ask) {
	k.before = l.last
	for k.before != nil && k.burst.deadline.Before(k.before.burst.deadline) {
		k.next, k.before = k.before, k.before.before
	}
	if k.before == nil {
		l.first = k
	} else {
		k.before.next = k
	}
	if k.next == nil {
		l.last = k
	} else {
		k.next.before = k
	}
}

// remove takes an ask out of its place.
func (l *askLine) remove(k *ask) {
	if k.before == nil {
		l.first = k.next
	} else {
		k.before.next = k.next
	}
	if k.next == nil {
		l.last = k.before
	} else {
		k.next.before = k.before
	}
}
