package supervisor

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// watchedMailbox puts a watched between a mailbox and its actor.
type watchedMailbox struct {
	actor.Mailbox
	watchdog *Watchdog
}

func (m *watchedMailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	var of *link
	ctx, ok := invoker.(actor.Context)
	if v, linked := invoker.(*linkedInvoker); linked {
		ctx, of, ok = v.ctx, v.link, v.ctx != nil
	}
	if ok {
		// The library registers an actor's process before its mailbox's handlers. An actor that is spawned in another way is not watched: it
		// could not be told when it ends.
		if process, ok := ctx.ActorSystem().ProcessRegistry.Get(ctx.Self()); ok {
			a := &watched{invoker: invoker, watchdog: m.watchdog, system: ctx.ActorSystem(), pid: ctx.Self(), process: process, link: of}
			m.watchdog.add(a)
			invoker = a
		}
	}
	m.Mailbox.RegisterHandlers(invoker, dispatcher)
}

// watched is one actor of a Watchdog, as its mailbox sees it: the invoker of its messages.
type watched struct {
	invoker actor.MessageInvoker

	count   atomic.Uint64 // of beginnings and ends of messages: odd while one is handled
	message atomic.Value  // reflect.Type of the message; storing it allocates nothing

	watchdog *Watchdog
	system   *actor.ActorSystem
	pid      *actor.PID
	process  actor.Process // a successor of the same name has another
	link     *link         // nil if it has no supervisor of ours

	// The watchdog's, under its lock.
	index int       // in its list; -1 once it has been removed
	seen  uint64    // the count at the last look that found a new one
	since time.Time // when that was
	hang  Hang      // what was reported; without a PID: nothing
}

// InvokeUserMessage must not be inlined: its frame, with the receiver as its first argument, is what addStacks finds a goroutine by.
//
//go:noinline
func (a *watched) InvokeUserMessage(message any) {
	a.begin(message)
	defer a.end()
	a.invoker.InvokeUserMessage(message)
}

// InvokeSystemMessage must not be inlined either.
//
//go:noinline
func (a *watched) InvokeSystemMessage(message any) {
	a.begin(message)
	defer a.endSystem()
	a.invoker.InvokeSystemMessage(message)
}

func (a *watched) EscalateFailure(reason, message any) { a.invoker.EscalateFailure(reason, message) }

func (a *watched) begin(message any) {
	if message = actor.UnwrapEnvelopeMessage(message); message != nil {
		a.message.Store(reflect.TypeOf(message))
	}
	a.count.Add(1)
}

func (a *watched) end() { a.count.Add(1) }

// endSystem also finds the actor's end, which always comes with a system message: a Stop, or the Terminated of the last child.
func (a *watched) endSystem() {
	a.count.Add(1)
	if process, ok := a.system.ProcessRegistry.Get(a.pid); !ok || process != a.process {
		a.watchdog.remove(a)
	}
}

// abandoned says whether its supervisor has cut the actor off: then nothing but the present message's end comes any more.
func (a *watched) abandoned() bool { return a.link != nil && a.link.dead.Load() }

// maxStacks bounds the text of all goroutines' stacks, in bytes.
const maxStacks = 4 << 20

// addStacks finds the goroutines on which actors hang. Nothing of an actor is known to the runtime but the address of its watched, which
// stands in a traceback as the first argument of the frame that handed out the message. Where it does not (the format of a traceback is
// nobody's promise) there is no stack.
func addStacks(hanging []foundHang) {
	text := make([]byte, 64<<10)
	for {
		n := runtime.Stack(text, true)
		if n < len(text) || len(text) >= maxStacks {
			text = text[:n]
			break
		}
		text = make([]byte, 4*len(text))
	}
	byReceiver, contained := make(map[string]string), make(map[string]string)
	for stack := range strings.SplitSeq(string(text), "\n\n") {
		stack = strings.TrimSpace(stack)
		if receiver := receiverIn(stack); receiver != "" {
			byReceiver[receiver] = stack
		}
		if _, creator, ok := strings.Cut(stack, "(*life).contain in goroutine "); ok {
			number, _, _ := strings.Cut(creator, "\n")
			contained[number] = stack
		}
	}
	for i := range hanging {
		h := &hanging[i]
		h.Stack = byReceiver[fmt.Sprintf("%p", h.actor)]
		number, _, _ := strings.Cut(strings.TrimPrefix(h.Stack, "goroutine "), " ")
		if stack, ok := contained[number]; ok && h.Stack != "" {
			h.Stack += "\n\n" + stack
		}
	}
}

// receiverIn is the address of the watched whose message a goroutine handles, "" if it handles none.
func receiverIn(stack string) string {
	for _, frame := range []string{"supervisor.(*watched).InvokeUserMessage(", "supervisor.(*watched).InvokeSystemMessage("} {
		if _, args, ok := strings.Cut(stack, frame); ok {
			end := strings.IndexAny(args, ",)?")
			return args[:max(end, 0)]
		}
	}
	return ""
}
