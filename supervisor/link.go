package supervisor

import (
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/ctxext"
)

// link is what ties an actor to the supervisor that started it. It outlives the actor's restarts, not the actor. It stands in the actor's
// mailbox, outside of everything else, so that it can
//
//   - tell the supervisor when Started has been handled;
//   - note why the actor ended;
//   - abandon it: from then on nothing that the actor still does reaches the library's bookkeeping, which goes by names, and would
//     otherwise take down whoever has the name by then.
//
// The last is the delicate part. An abandoned actor may be in the middle of anything:
//
//  1. In Receive. When that returns, or panics, the mailbox comes to the link next, for the next message or for EscalateFailure, and the link is dead.
//  2. In Stopping or Stopped, or in a message between them. The library goes on by itself when the actor's Receive returns: it removes
//     the name from the registry, and tells the parent and the watchers. So the guard around the actor, which runs these on a goroutine of
//     their own, asks the link first (leave): either the actor has been abandoned, and the guard ends the goroutine, or the link is locked
//     until the actor's code runs again, or the library is done. These stretches are a few sends long, and abandon waits for them.
type link struct {
	system *actor.ActorSystem
	parent actor.Process              // the supervisor
	self   *actor.PID                 // its PID
	key    int                        // of the child, for the supervisor
	guard  guardKind                  // which guard calls leave
	life   *life                      // of the guard that the supervisor adds; nil without one; used by the actor only
	nested bool                       // the actor is a supervisor, and tells itself when it has started
	super  atomic.Pointer[supervisor] // its present instance, if it is one

	mailbox actor.Mailbox // the outer one; nil if the props have a spawner that makes none of ours
	pid     *actor.PID    // set once the actor is spawned; used by the supervisor only

	dead     atomic.Bool // abandoned
	reborn   atomic.Bool // a restart has begun to start the new instance
	bounds   sync.Mutex  // held while the library does its bookkeeping of the end, and to abandon
	held     bool        // by the actor, whose goroutines wait for each other
	stopping bool        // Stop was let through; used by the actor only
	misled   bool        // Guarded was promised, and is not so

	mu       sync.Mutex
	watchers map[string]*actor.PID // by address and id
	children map[string]*actor.PID
	told     bool // to stop, by the supervisor
	ended    bool // it has said itself how it ends
	why      error
	failure  *Failure
}

type guardKind int

const (
	guardInner  guardKind = iota // the one that the supervisor adds
	guardOuter                   // WithGuard, in the props
	guardActors                  // Guard, in the producer
)

var linkID = ctxext.NextContextExtensionID()

func (*link) ExtensionID() ctxext.ContextExtensionID { return linkID }

// linkOf returns the link of the actor, nil if it is not one of our supervisor's children.
func linkOf(ctx actor.ExtensionContext) *link {
	l, _ := getExtension(ctx, linkID).(*link)
	return l
}

// exitWith notes why the actor ends itself.
func (l *link) exitWith(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.ended, l.why = true, reason
	}
}

// leaving says whether the actor has said that it ends. One that did so in Started has failed to start, as in OTP an init that returns stop.
func (l *link) leaving() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// fail notes a failure that cannot change the end any more.
func (l *link) fail(f *Failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure = f
}

// outcome is how the actor has ended.
func (l *link) outcome() (Reason, *Failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.dead.Load():
		return ReasonKilled, nil
	case l.failure != nil:
		return ReasonFailed, l.failure
	case l.ended:
		reason := reasonOf(l.why)
		if reason == ReasonFailed || reason == ReasonBudgetSpent {
			return reason, failureOf(l.why, nil)
		}
		return reason, nil
	case l.told:
		return ReasonShutdown, nil
	}
	return ReasonNormal, nil
}

// tell sends the actor a system message, past its name, which could be a successor's.
func (l *link) tell(message any) {
	if l.mailbox != nil {
		l.mailbox.PostSystemMessage(message)
		return
	}
	if process, ok := l.system.ProcessRegistry.Get(l.pid); ok {
		process.SendSystemMessage(l.pid, message)
	}
}

// stop tells it to stop; drain: when it has handled what is in its mailbox.
func (l *link) stop(drain bool) {
	l.mu.Lock()
	l.told = true
	l.mu.Unlock()
	switch {
	case !drain:
		l.tell(&actor.Stop{})
	case l.mailbox != nil:
		l.mailbox.PostUserMessage(&actor.PoisonPill{})
	default:
		l.system.Root.Poison(l.pid)
	}
}

// signal tells the supervisor something.
func (l *link) signal(message any) { l.parent.SendSystemMessage(l.self, message) }

// abandon cuts the actor off, and frees its name. Its children are told to stop, its watchers that it has ended.
func (l *link) abandon() {
	l.bounds.Lock()
	if l.dead.Swap(true) {
		l.bounds.Unlock()
		return
	}
	l.bounds.Unlock()
	// The name is the actor's own or nobody's: only its supervisor starts another, and has not yet.
	l.system.ProcessRegistry.Remove(l.pid)
	l.mu.Lock()
	children, watchers := l.children, l.watchers
	l.children, l.watchers = nil, nil
	l.mu.Unlock()
	for _, child := range children {
		l.system.Root.Stop(child)
	}
	for _, watcher := range watchers {
		l.notify(watcher)
	}
}

func (l *link) notify(watcher *actor.PID) {
	if process, ok := l.system.ProcessRegistry.Get(watcher); ok {
		process.SendSystemMessage(watcher, &actor.Terminated{Who: l.pid})
	}
}

// leave is called by the guard, on the actor's goroutine, when the actor's code has returned and the end has begun. False: the actor was
// abandoned, and nothing of the library may run any more. In a restart the library touches no names, and goes on to run the actor's code
// without the guard's knowledge (the producer): then nothing is locked.
func (l *link) leave() bool {
	if l.stopping && !l.held {
		l.bounds.Lock()
		l.held = true
	}
	if l.dead.Load() {
		l.back()
		return false
	}
	return true
}

// back is called before the actor's code runs again, and when the library is done.
func (l *link) back() {
	if l.held {
		l.held = false
		l.bounds.Unlock()
	}
}

// watch keeps the list of watchers, as the library does; posted, not received, so that none is forgotten in an abandoned mailbox.
func (l *link) watch(watcher *actor.PID) {
	l.mu.Lock()
	if !l.dead.Load() {
		if l.watchers == nil {
			l.watchers = make(map[string]*actor.PID)
		}
		l.watchers[watcher.Address+"/"+watcher.Id] = watcher
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.notify(watcher)
}

func (l *link) unwatch(watcher *actor.PID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers, watcher.Address+"/"+watcher.Id)
}

// spawned notes a child of the actor.
func (l *link) spawned(child *actor.PID) {
	l.mu.Lock()
	if !l.dead.Load() {
		if l.children == nil {
			l.children = make(map[string]*actor.PID)
		}
		l.children[child.Id] = child
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.system.Root.Stop(child)
}

// lost says whether a Terminated is about a predecessor of the child that has the name now. The library would take that one for dead.
func (l *link) lost(who *actor.PID) (stale bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	child := l.children[who.GetId()]
	if child == nil {
		return false
	}
	if child != who {
		_, alive := l.system.ProcessRegistry.Get(child)
		return alive
	}
	delete(l.children, who.Id)
	return false
}

// linkFor is the link that the guard of that kind has to ask: of several guards around an actor, the outermost does it.
func linkFor(ctx actor.ExtensionContext, kind guardKind) *link {
	if l := linkOf(ctx); l != nil && l.guard == kind {
		return l
	}
	return nil
}
