package supervisor

import (
	"github.com/asynkron/protoactor-go/actor"
)

// newMailbox makes the mailbox of a supervisor that has no supervisor of ours.
func newMailbox() actor.Mailbox { return &linkedMailbox{Mailbox: actor.Unbounded()()} }

// linkedMailbox wraps an actor's mailbox, and what the mailbox calls.
type linkedMailbox struct {
	actor.Mailbox
	link *link // nil for a supervisor without one
}

func (m *linkedMailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	v := &linkedInvoker{MessageInvoker: invoker, link: m.link}
	v.ctx, _ = invoker.(actor.Context)
	if m.link != nil && m.link.guard == guardActors && v.ctx != nil {
		m.link.misled = !isGuard(v.ctx.Actor())
	}
	if _, ours := dispatcher.(*Dispatcher); !ours {
		dispatcher = &survivor{dispatcher}
	}
	m.Mailbox.RegisterHandlers(v, dispatcher)
}

func (m *linkedMailbox) PostSystemMessage(message any) {
	if m.link == nil {
		if _, resume := message.(*actor.ResumeMailbox); resume {
			defer m.Mailbox.PostSystemMessage(&resumed{})
		}
	} else {
		switch message := message.(type) {
		case *actor.Watch:
			m.link.watch(message.Watcher)
		case *actor.Unwatch:
			m.link.unwatch(message.Watcher)
		case *actor.ResumeMailbox:
			// The library sends it when a restart has made the new instance, just before it hands it Started, on the same goroutine.
			m.link.reborn.Store(true)
		}
	}
	m.Mailbox.PostSystemMessage(message)
}

func isGuard(a actor.Actor) bool {
	switch a.(type) {
	case *guard, *guardedSupervisor:
		return true
	}
	return false
}

// intercepter is an actor that takes some of the library's own messages before the library does.
type intercepter interface {
	// intercept says whether it has taken the message. invoke hands the actor a message of its own.
	intercept(message any, invoke func(message any)) bool
}

// signal is a message from this package's own machinery to a supervisor. It comes as a system message, so that it keeps its place among the
// library's own, and is received as any other.
type signal interface{ signal() }

// linkedInvoker stands between a mailbox and the library's context.
type linkedInvoker struct {
	actor.MessageInvoker
	ctx  actor.Context // the same one; nil if it is something else
	link *link
}

func (v *linkedInvoker) dead() bool { return v.link != nil && v.link.dead.Load() }

func (v *linkedInvoker) InvokeUserMessage(message any) {
	if v.dead() {
		return
	}
	if _, pill := actor.UnwrapEnvelopeMessage(message).(*actor.PoisonPill); pill && v.intercepted(message) {
		return
	}
	v.MessageInvoker.InvokeUserMessage(message)
}

func (v *linkedInvoker) InvokeSystemMessage(message any) {
	if v.dead() {
		return
	}
	if v.link != nil {
		defer v.link.back()
	}
	switch m := message.(type) {
	case signal:
		v.MessageInvoker.InvokeUserMessage(m)
	case *actor.Started:
		v.MessageInvoker.InvokeSystemMessage(m)
		v.started()
	case *actor.Stop, *actor.Restart:
		if !v.intercepted(m) {
			v.end(m)
		}
	case *endNow:
		v.end(m.message)
	case *actor.Terminated:
		if v.link != nil && v.link.lost(m.Who) {
			return
		}
		v.MessageInvoker.InvokeSystemMessage(m)
		v.restarted()
	default:
		v.MessageInvoker.InvokeSystemMessage(m)
	}
}

// EscalateFailure is called by the mailbox when a message has panicked.
func (v *linkedInvoker) EscalateFailure(reason, message any) {
	if v.dead() {
		return
	}
	if v.link != nil {
		v.link.reborn.Store(false) // its Started has failed
	}
	v.MessageInvoker.EscalateFailure(reason, message)
}

// intercepted offers the message to an actor that may want it. The actor is another one after a restart, so it is asked for each time.
func (v *linkedInvoker) intercepted(message any) bool {
	if v.ctx == nil {
		return false
	}
	i, ok := v.ctx.Actor().(intercepter)
	return ok && i.intercept(message, v.MessageInvoker.InvokeUserMessage)
}

// end lets the library stop or restart the actor. A Restart that comes after a Stop is dropped: the library would resurrect what is stopping.
func (v *linkedInvoker) end(message any) {
	if v.link != nil {
		if _, stop := message.(*actor.Stop); stop {
			v.link.stopping = true
		} else if v.link.stopping {
			return
		}
		v.link.reborn.Store(false)
	}
	v.MessageInvoker.InvokeSystemMessage(message)
	v.restarted()
}

// restarted tells the supervisor if the message that was just handled has brought a new instance.
func (v *linkedInvoker) restarted() {
	if v.link != nil && v.link.reborn.Swap(false) {
		v.started()
	}
}

func (v *linkedInvoker) started() {
	if v.link == nil || v.link.nested || v.link.leaving() {
		return
	}
	v.link.signal(&childStarted{link: v.link})
}

// survivor is a Dispatcher's care for runtime.Goexit around any dispatcher.
type survivor struct{ actor.Dispatcher }

func (s *survivor) Schedule(fn func()) {
	s.Dispatcher.Schedule(func() {
		normal := false
		defer func() {
			if normal {
				return
			}
			if r := recover(); r != nil {
				panic(r)
			}
			s.Schedule(fn)
		}()
		fn()
		normal = true
	})
}
