package supervisor

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultBuffer is how many events wait for a subscriber that does not say how many it wants.
const DefaultBuffer = 256

// Hub hands events to its subscribers, each on a goroutine of its own. A subscriber that is slow loses the newest events, one that panics
// loses the event it panicked on, and neither is noticed by who publishes or by the other subscribers. A nil *Hub has no subscribers.
type Hub struct {
	subscribers atomic.Pointer[[]*subscriber] // copied on change
	dropped     atomic.Uint64
	panicked    atomic.Uint64
	mu          sync.Mutex // for changes
}

// NewHub makes a hub without subscribers.
func NewHub() *Hub { return new(Hub) }

// Publish hands e to every subscriber that has room for it and returns at once. An event without a time gets the present one. It may be
// called on any goroutine.
func (h *Hub) Publish(e Event) {
	if h == nil {
		return
	}
	list := h.subscribers.Load()
	if list == nil || len(*list) == 0 {
		return
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	for _, s := range *list {
		select {
		case s.events <- e:
		default:
			h.dropped.Add(1)
		}
	}
}

// Dropped is how many events were not delivered because a subscriber had no room, over all subscribers there ever were.
func (h *Hub) Dropped() uint64 {
	if h == nil {
		return 0
	}
	return h.dropped.Load()
}

// Panicked is on how many events a subscriber panicked or exited, over all subscribers there ever were. Nobody else is told.
func (h *Hub) Panicked() uint64 {
	if h == nil {
		return 0
	}
	return h.panicked.Load()
}

// Subscribe calls fn with every event from now on, one after the other, in the order of publishing, on one goroutine. At most buffer events
// wait for it (0 or less: DefaultBuffer); what comes while as many wait is dropped and counted.
//
// cancel ends it: it delivers what still waits, and returns when the goroutine has ended, so it waits for a slow fn. It may be called more
// than once, but not by fn itself, which would wait for itself.
func (h *Hub) Subscribe(buffer int, fn func(Event)) (cancel func()) {
	if h == nil {
		return func() {}
	}
	if buffer <= 0 {
		buffer = DefaultBuffer
	}
	s := &subscriber{
		hub:    h,
		fn:     fn,
		events: make(chan Event, buffer),
		cancel: make(chan struct{}),
		ended:  make(chan struct{}),
	}
	h.change(func(list []*subscriber) []*subscriber { return append(list, s) })
	go s.run()
	var once sync.Once
	return func() {
		once.Do(func() {
			h.change(func(list []*subscriber) []*subscriber {
				return slices.DeleteFunc(list, func(other *subscriber) bool { return other == s })
			})
			close(s.cancel)
		})
		<-s.ended
	}
}

func (h *Hub) change(edit func([]*subscriber) []*subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*subscriber
	if old := h.subscribers.Load(); old != nil {
		list = slices.Clone(*old)
	}
	list = edit(list)
	h.subscribers.Store(&list)
}

type subscriber struct {
	hub    *Hub
	fn     func(Event)
	events chan Event
	cancel chan struct{} // closed to end; events is never closed, as somebody may be publishing
	ended  chan struct{}
}

func (s *subscriber) run() {
	normal := false
	defer func() {
		if normal {
			close(s.ended)
			return
		}
		s.hub.panicked.Add(1)
		_ = recover() // of a runtime.Goexit there is nothing to recover; a new goroutine goes on in both cases
		go s.run()
	}()
	for {
		select {
		case e := <-s.events:
			s.fn(e)
			continue
		case <-s.cancel:
		}
		break
	}
	for {
		select {
		case e := <-s.events:
			s.fn(e)
			continue
		default:
		}
		break
	}
	normal = true
}
