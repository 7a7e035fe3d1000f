package supervisor

import (
	"reflect"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// DefaultHangLimit is how long a message may be handled before a Watchdog that does not say reports it.
const DefaultHangLimit = 5 * time.Second

// Hang is one message that takes too long.
type Hang struct {
	PID     *actor.PID // of the actor; not to be changed
	Message string     // Go type of the message that is being handled, e.g. "*actor.Stop"
	Since   time.Time  // when a look first found the actor with this message; it began at most an Interval earlier
	// For is how long it has lasted since then, or, in OnRecover, how long it had when a look first found it over.
	For time.Duration
	// Stack is that of the actor's goroutine in the form of a Go traceback, if Stacks is set and it was found; and that of the goroutine on
	// which a guard runs the actor's end, if it is there that it hangs.
	Stack string
}

// Watchdog finds actors that hang: those that have been handling one message for longer than Limit. A hang is reported once, and once more
// when it is over. It says only what it sees: what becomes of the actor is for others to decide (a Stop waits behind the message too).
//
// The actors carry WithWatchdog. One goroutine looks at all of them every Interval, between Start and the call of the function that Start
// returns; who has a clock of his own calls Look instead. An actor leaves the list when it ends; one that its supervisor killed, at the first
// look that finds it out of its last message. Looking holds a lock for some nanoseconds an actor, which delays actors that start
// and end, but none that handles messages. A nil *Watchdog watches nothing. The fields must not change once it is in use.
type Watchdog struct {
	Limit    time.Duration // 0 or less: DefaultHangLimit
	Interval time.Duration // 0 or less: a quarter of Limit, so that a hang is reported between one and one and a half Limits after it began

	// OnHang is told of each hang, on the goroutine that looks, as OnRecover is: one call at a time. While one of them runs nobody
	// looks; what they panic with is swallowed. nil: nobody is told.
	OnHang func(Hang)
	// OnRecover is told of the end of each hang that OnHang was told of, also when the actor has ended. nil: nobody is told.
	OnRecover func(Hang)

	// Stacks fills in Hang.Stack. It stops the program while all goroutines' stacks are written, once for all hangs that one look finds: in
	// the order of ten microseconds a goroutine. What does not fit into 4 MiB is not found.
	Stacks bool

	Now func() time.Time // for the function of Start; nil: time.Now

	looking sync.Mutex // one look at a time; taken before mu
	mu      sync.Mutex // never held while a function of the user runs
	actors  []*watched // those that live, in no order
	over    []Hang     // of actors that ended after they were reported
}

// WithWatchdog makes w watch the actor: it is actor.WithMailbox(w.Mailbox(mailbox)). For a child of a Spec, ChildSpec.Mailbox takes the latter.
func WithWatchdog(w *Watchdog, mailbox actor.MailboxProducer) actor.PropsOption {
	return actor.WithMailbox(w.Mailbox(mailbox))
}

// Mailbox makes the mailboxes of actors that w watches, from before Started to after Stopped, around those that inner makes; nil is
// actor.Unbounded().
//
// A message costs two atomic additions, an atomic store and a deferred call, and no allocation; an actor, some 250 bytes. Messages are timed
// from when the mailbox hands them out, middleware included. Waiting for one's children to stop is not a message.
func (w *Watchdog) Mailbox(inner actor.MailboxProducer) actor.MailboxProducer {
	if inner == nil {
		inner = actor.Unbounded()
	}
	if w == nil {
		return inner
	}
	return func() actor.Mailbox { return &watchedMailbox{Mailbox: inner(), watchdog: w} }
}

// Start looks every Interval on a goroutine of its own, until stop is called. stop returns when that goroutine has ended, so it waits for
// OnHang and OnRecover, which must not call it; it may be called more than once.
func (w *Watchdog) Start() (stop func()) {
	if w == nil {
		return func() {}
	}
	interval := w.Interval
	if interval <= 0 {
		interval = max(1, w.limit()/4)
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				w.Look(w.now())
			case <-end:
				return
			}
		}
	}()
	var once sync.Once
	return func() {
		once.Do(func() { close(end) })
		<-ended
	}
}

// Look looks at every actor at the time now and reports what it finds before it returns. It may be called on any goroutine.
func (w *Watchdog) Look(now time.Time) {
	if w == nil {
		return
	}
	w.looking.Lock()
	defer w.looking.Unlock()
	hanging, over := w.find(now)
	if w.Stacks && len(hanging) > 0 {
		addStacks(hanging)
	}
	for _, h := range hanging {
		tellHang(w.OnHang, h.Hang)
	}
	for _, h := range over {
		h.For = now.Sub(h.Since)
		tellHang(w.OnRecover, h)
	}
}

// Hanging is what was reported and is not over, without stacks, For as of the last look.
func (w *Watchdog) Hanging() []Hang {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Hang
	for _, a := range w.actors {
		if a.hang.PID != nil {
			list = append(list, a.hang)
		}
	}
	return list
}

// Watched is how many actors live and carry the watchdog.
func (w *Watchdog) Watched() int {
	if w == nil {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.actors)
}

type foundHang struct {
	Hang
	actor *watched
}

func (w *Watchdog) find(now time.Time) (hanging []foundHang, over []Hang) {
	limit := w.limit()
	w.mu.Lock()
	defer w.mu.Unlock()
	over, w.over = w.over, nil
	var left []*watched
	for _, a := range w.actors {
		// Between two equal odd counts the type does not change: it is stored before the count becomes odd, and again only after it became even.
		count := a.count.Load()
		message, _ := a.message.Load().(reflect.Type)
		if count != a.seen {
			if a.hang.PID != nil {
				over = append(over, a.hang)
				a.hang = Hang{}
			}
			a.seen, a.since = count, now
			continue
		}
		if count%2 == 0 && a.abandoned() {
			left = append(left, a)
			continue
		}
		if count%2 == 0 || now.Sub(a.since) < limit || a.count.Load() != count {
			continue
		}
		reported := a.hang.PID != nil
		if !reported {
			a.hang = Hang{PID: a.pid, Message: typeText(message), Since: a.since}
		}
		a.hang.For = now.Sub(a.since)
		if !reported {
			hanging = append(hanging, foundHang{a.hang, a})
		}
	}
	for _, a := range left {
		w.drop(a)
	}
	return hanging, over
}

func (w *Watchdog) add(a *watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a.index = len(w.actors)
	w.actors = append(w.actors, a)
}

func (w *Watchdog) remove(a *watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(a)
}

// drop lets go of an actor that has ended; the last of the list takes its place. mu is held.
func (w *Watchdog) drop(a *watched) {
	if a.index < 0 {
		return
	}
	if a.hang.PID != nil {
		w.over = append(w.over, a.hang)
	}
	last := len(w.actors) - 1
	w.actors[a.index] = w.actors[last]
	w.actors[a.index].index = a.index
	w.actors[last] = nil
	w.actors = w.actors[:last]
	a.index = -1
	if cap(w.actors) > 1024 && last < cap(w.actors)/4 {
		w.actors = append(make([]*watched, 0, 2*last), w.actors...) // a crowd that has gone keeps no memory
	}
}

func (w *Watchdog) limit() time.Duration {
	if w.Limit <= 0 {
		return DefaultHangLimit
	}
	return w.Limit
}

func (w *Watchdog) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

func tellHang(fn func(Hang), h Hang) {
	if fn == nil {
		return
	}
	defer func() { _ = recover() }()
	fn(h)
}

func typeText(t reflect.Type) string {
	if t == nil {
		return ""
	}
	return t.String()
}
