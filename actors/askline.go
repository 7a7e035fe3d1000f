package actors

import "github.com/asynkron/protoactor-go/actor"

// askLine holds what one actor was asked and has not responded to: what somebody waits for, and what has passed its deadline.
//
// No deadline takes a message out of a mailbox, and the mailboxes of the user's actors have no bound. So what is overdue counts
// until the actor responds to it or to something later — a mailbox is a queue — or ends; while there is too much, one
// request at a time is let through, to see whether the actor gets on.
type askLine struct {
	handler *Handler
	waiting askList
	overdue askList
	n       int // in both
	watched bool
	target  *actor.PID // who is asked; a PID remembers its process, so each successor of the name has a new one
}

// list returns the one that an ask is in.
func (l *askLine) list(k *ask) *askList {
	if k.overdue {
		return &l.overdue
	}
	return &l.waiting
}

// askList is in the order of the deadlines.
type askList struct{ first, last *ask }

// insert puts an ask in its place. One handler's requests have all the same time, but what has arrived first may be the last to
// come here: its session was being restarted, or a key function before it took long.
func (l *askList) insert(k *ask) {
	k.before, k.next = l.last, nil
	for k.before != nil && k.deadline.Before(k.before.deadline) {
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
func (l *askList) remove(k *ask) {
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
