package actors

import (
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// Mailbox is the mailbox of sessions, acceptors and workers. It differs from Proto.Actor's in three ways: TryRun runs a
// message on the caller's goroutine if the actor is idle; OnIdle hears when the actor has come to rest; and a PoisonPill
// can be handed to the actor as a message of its own.
//
// Inline is a property of the post, not of the actor: what is posted in any other way, system messages above all, runs on
// a goroutine of the dispatcher; but see EndsInline. Its user queue holds wake-ups, of which each sender keeps at most one outstanding.
type Mailbox struct {
	// OnIdle, if set before the actor is spawned, is called each time the mailbox has left running with nothing to do and
	// is not suspended. By then another message may already be running: what OnIdle does must bear that.
	OnIdle func()
	// OnPill, if set before the actor is spawned, is called when a PoisonPill's turn has come; the actor receives what it
	// returns in the pill's place.
	OnPill func() any
	// EndsInline, if set before the actor is spawned, has what tells of a child's end handled on the goroutine on which the
	// child has ended, if the actor is at rest: it must not wait for anything then, nor may the child have anything locked.
	EndsInline bool

	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher

	status    atomic.Int32 // resting or running
	suspended atomic.Bool  // written while running only
	waiting   atomic.Int64 // user messages
	urgent    atomic.Int64 // system messages

	mu     sync.Mutex // guards the two queues
	user   fifo
	system fifo
}

const (
	resting int32 = iota
	running
)

var _ actor.Mailbox = (*Mailbox)(nil)

// fifo is a queue that keeps its array.
type fifo struct {
	items []any
	head  int
}

func (q *fifo) push(m any) { q.items = append(q.items, m) }

// peek returns what pop will.
func (q *fifo) peek() any {
	if q.head == len(q.items) {
		return nil
	}
	return q.items[q.head]
}

func (q *fifo) pop() any {
	if q.head == len(q.items) {
		return nil
	}
	m := q.items[q.head]
	q.items[q.head] = nil
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return m
}

// PostUserMessage queues a message. Any goroutine may call it.
func (m *Mailbox) PostUserMessage(message any) {
	m.mu.Lock()
	m.user.push(message)
	m.mu.Unlock()
	m.waiting.Add(1)
	m.schedule()
}

// PostSystemMessage queues one of the library's messages, which overtake user messages. Any goroutine may call it.
func (m *Mailbox) PostSystemMessage(message any) {
	if _, end := message.(*actor.Terminated); end && m.EndsInline && m.tryEnd(message) {
		return
	}
	m.mu.Lock()
	m.system.push(message)
	m.mu.Unlock()
	m.urgent.Add(1)
	m.schedule()
}

// RegisterHandlers is called by the library when the actor is spawned.
func (m *Mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, dispatcher
}

// Start is called by the library when the actor is spawned.
func (m *Mailbox) Start() {}

// UserMessageCount returns how many user messages wait.
func (m *Mailbox) UserMessageCount() int { return int(m.waiting.Load()) }

// TryRun runs one user message on the caller's goroutine, if the actor is at rest, has nothing waiting and is not
// suspended; otherwise it does nothing and returns false. Messages that arrive meanwhile run on a goroutine of the
// dispatcher. A panic in the actor is escalated as usual, and TryRun returns true.
func (m *Mailbox) TryRun(message any) bool {
	if !m.status.CompareAndSwap(resting, running) {
		return false
	}
	if m.urgent.Load() > 0 || m.waiting.Load() > 0 || m.suspended.Load() {
		m.leave()
		return false
	}
	m.runHere(message, false)
	return true
}

// runHere runs a message on the caller's goroutine, and leaves running.
func (m *Mailbox) runHere(message any, system bool) {
	left := false
	defer func() {
		if !left {
			// runtime.Goexit: the caller's goroutine ends after its deferred functions, so the mailbox goes on elsewhere.
			m.dispatcher.Schedule(m.process)
		}
	}()
	m.runInline(message, system)
	left = true
	m.leave()
}

func (m *Mailbox) runInline(message any, system bool) {
	defer func() {
		if r := recover(); r != nil {
			m.invoker.EscalateFailure(r, message)
		}
	}()
	if system {
		m.invoker.InvokeSystemMessage(message)
		return
	}
	m.invoker.InvokeUserMessage(message)
}

// leave ends an inline run. If anything is left to do, the mailbox goes on running on a goroutine of its own.
func (m *Mailbox) leave() {
	if m.urgent.Load() > 0 {
		m.obey()
	}
	if m.rest() {
		m.dispatcher.Schedule(m.process)
	}
}

// obey does what the next system messages ask of the mailbox itself, of which the actor hears nothing: an actor that has just
// failed is suspended, and a goroutine for that would only stand in the way of the one on which its supervisor decides.
func (m *Mailbox) obey() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		switch m.system.peek().(type) {
		case *actor.SuspendMailbox:
			m.suspended.Store(true)
		case *actor.ResumeMailbox:
			m.suspended.Store(false)
		default:
			return
		}
		m.system.pop()
		m.urgent.Add(-1)
	}
}

func (m *Mailbox) schedule() {
	if m.status.CompareAndSwap(resting, running) {
		m.dispatcher.Schedule(m.process)
	}
}

// process is what the dispatcher runs. The dispatcher runs it again if it was ended by runtime.Goexit.
func (m *Mailbox) process() {
	for {
		m.run()
		if !m.rest() {
			return
		}
	}
}

// rest leaves running. It reports true if there was something to do after all and the caller is running again.
func (m *Mailbox) rest() bool {
	m.status.Store(resting)
	// Between the store and these loads a sender may have posted and found us running: it relies on this check.
	blocked := m.suspended.Load()
	if m.urgent.Load() > 0 || (!blocked && m.waiting.Load() > 0) {
		return m.status.CompareAndSwap(resting, running)
	}
	if !blocked && m.OnIdle != nil {
		m.OnIdle()
	}
	return false
}

func (m *Mailbox) run() {
	var message any
	defer func() {
		if r := recover(); r != nil {
			m.invoker.EscalateFailure(r, message)
		}
	}()
	for {
		if message = m.pop(&m.system, &m.urgent); message != nil {
			switch message.(type) {
			case *actor.SuspendMailbox:
				m.suspended.Store(true)
			case *actor.ResumeMailbox:
				m.suspended.Store(false)
			default:
				m.invoker.InvokeSystemMessage(message)
			}
			continue
		}
		if m.suspended.Load() {
			return
		}
		if message = m.pop(&m.user, &m.waiting); message == nil {
			return
		}
		if _, ok := message.(*actor.PoisonPill); ok && m.OnPill != nil {
			message = m.OnPill()
		}
		m.invoker.InvokeUserMessage(message)
	}
}

func (m *Mailbox) pop(q *fifo, n *atomic.Int64) any {
	if n.Load() == 0 {
		return nil
	}
	m.mu.Lock()
	message := q.pop()
	m.mu.Unlock()
	if message != nil {
		n.Add(-1)
	}
	return message
}
