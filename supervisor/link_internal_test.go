package supervisor

import (
	"log/slog"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// From the moment the actor's code has returned until it runs again, or the library is done, nobody may abandon the actor.
func TestLinkBounds(t *testing.T) {
	l := new(link)
	if !l.leave() || !l.bounds.TryLock() {
		t.Fatal("a restart locks")
	}
	l.bounds.Unlock()
	l.stopping = true
	if first, second := l.leave(), l.leave(); !first || !second || l.bounds.TryLock() {
		t.Fatal("the library's bookkeeping is not protected")
	}
	l.back()
	if !l.bounds.TryLock() {
		t.Fatal("it is protected for too long")
	}
	l.bounds.Unlock()
	l.dead.Store(true)
	if l.leave() || !l.bounds.TryLock() {
		t.Error("an abandoned actor goes on")
	}
}

// A Terminated of a predecessor must not make the library forget the child that has the name.
func TestLinkKnowsItsChildren(t *testing.T) {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	l := &link{system: system}
	child := system.Root.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
	l.spawned(child)
	if !l.lost(actor.NewPID(child.Address, child.Id)) {
		t.Error("the predecessor's counts")
	}
	if first, second := l.lost(child), l.lost(child); first || second {
		t.Error("its own does not")
	}
	if l.lost(actor.NewPID(child.Address, "a stranger")) {
		t.Error("a stranger's does not")
	}
	_ = system.Root.StopFuture(child).Wait()
}

type invocations struct{ messages []any }

func (i *invocations) InvokeSystemMessage(m any)      { i.messages = append(i.messages, m) }
func (i *invocations) InvokeUserMessage(m any)        { i.messages = append(i.messages, m) }
func (i *invocations) EscalateFailure(_, message any) { i.messages = append(i.messages, message) }

// The library would resurrect an actor that is told to restart while it stops; and an abandoned one must not do anything.
func TestLinkedInvoker(t *testing.T) {
	inner := new(invocations)
	v := &linkedInvoker{MessageInvoker: inner, link: new(link)}
	v.InvokeSystemMessage(&actor.Restart{})
	v.InvokeSystemMessage(&actor.Stop{})
	v.InvokeSystemMessage(&actor.Restart{})
	if len(inner.messages) != 2 {
		t.Errorf("%d messages came through, want a Restart and a Stop", len(inner.messages))
	}
	v.link.dead.Store(true)
	v.InvokeUserMessage("hello")
	v.InvokeSystemMessage(&actor.Terminated{})
	v.EscalateFailure("boom", "hello")
	if len(inner.messages) != 2 {
		t.Errorf("%d messages came through, the last ones to an abandoned actor", len(inner.messages))
	}
}
