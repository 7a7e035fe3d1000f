package main

import "sync"

// journal is what survives a shard: the changes that it has made, in order. It belongs to the database, not to the actor, and so
// it is there for the actor's next instance. It stands in for a file; what matters is that a change is either in it or not, however
// its writer ends.
//
// It holds at most twice as many changes as there are keys, and 1,024 more.
type journal struct {
	mu      sync.Mutex // a shard that was given up may still run beside its successor
	changes []change
	limit   int // how many there may be before those that no longer matter are dropped
}

// change is one line of a journal.
type change struct {
	key, value string
	deleted    bool
}

// spareChanges is how many changes a journal holds besides those that matter.
const spareChanges = 1024

// append adds a change.
func (j *journal) append(c change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.changes) >= max(j.limit, spareChanges) {
		values := replay(j.changes)
		j.changes = make([]change, 0, len(values)+spareChanges)
		for key, value := range values {
			j.changes = append(j.changes, change{key: key, value: value})
		}
		j.limit = 2*len(values) + spareChanges
	}
	j.changes = append(j.changes, c)
}

// values returns what the changes amount to. The map is the caller's.
func (j *journal) values() map[string]string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return replay(j.changes)
}

func replay(changes []change) map[string]string {
	values := make(map[string]string)
	for _, c := range changes {
		if c.deleted {
			delete(values, c.key)
		} else {
			values[c.key] = c.value
		}
	}
	return values
}
