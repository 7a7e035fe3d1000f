package supervisor

import "github.com/asynkron/protoactor-go/actor"

// DefaultThroughput is how many messages a mailbox handles before it yields the processor, unless a dispatcher says otherwise; the same as
// the library's.
const DefaultThroughput = 300

// Dispatcher is an actor.Dispatcher that runs each mailbox on a goroutine while it has messages, as the library's own does. It also survives
// runtime.Goexit and counts its goroutines. It may be shared by any number of actors.
type Dispatcher struct {
	throughput int
	tracker    *Tracker
}

var _ actor.Dispatcher = (*Dispatcher)(nil)

// NewDispatcher makes a dispatcher whose goroutines t counts. A throughput of 0 or less is DefaultThroughput; a nil t counts nothing.
func NewDispatcher(throughput int, t *Tracker) *Dispatcher {
	if throughput <= 0 {
		throughput = DefaultThroughput
	}
	return &Dispatcher{throughput: throughput, tracker: t}
}

// Throughput is how many messages a mailbox handles before it yields the processor.
func (d *Dispatcher) Throughput() int { return d.throughput }

// Schedule runs fn on a new goroutine. If fn calls runtime.Goexit, it runs again on another one: a mailbox that was cut short is still
// marked as running, and nobody else would take it up. A panic is the mailbox's to recover; one that gets here ends the process, as with
// the library's dispatcher.
func (d *Dispatcher) Schedule(fn func()) {
	d.tracker.enter()
	go d.run(fn)
}

func (d *Dispatcher) run(fn func()) {
	normal := false
	defer func() {
		switch {
		case normal:
			d.tracker.leave()
		default:
			if r := recover(); r != nil {
				panic(r)
			}
			go d.run(fn) // its place in the count is handed on
		}
	}()
	fn()
	normal = true
}
