package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// The bounds of the time between two questions to an actor that is stopping.
const (
	firstAsk = time.Millisecond
	lastAsk  = 100 * time.Millisecond
)

var errNobodyWaits = errors.New("nobody waits any more")

// awaiter watches actors until they have ended, as a process of its own in the system's registry. It is used by one goroutine, but for what
// the library calls.
//
// Why it asks twice. The library answers a Watch that comes while the actor is stopping at once, though it may have to wait for its children
// yet, or not have handled Stopped; that answer looks like the one at the end. So the first answer is believed only as far as the registry
// confirms it: an actor whose process still is there is asked again a little later, and when its process has gone it is asked once more. That last
// question is handled after everything else on the actor's goroutine, so its answer means the end. Each Watch gets one answer at most.
type awaiter struct {
	system   *actor.ActorSystem
	pid      *actor.PID
	answers  chan *actor.Terminated // room for one answer of every target
	targets  []*awaited
	byID     map[awaitedID]*awaited
	left     int             // targets that have not ended, waiting not counted
	waiting  *awaited        // whoever waits, if it is an actor
	canceled <-chan struct{} // nil: never
	next     time.Duration   // until the next question to those that are stopping
}

type awaited struct {
	pid     *actor.PID
	process actor.Process
	state   awaitedState
}

type awaitedState int

const (
	awaitedAsked   awaitedState = iota // a Watch is on its way, or the actor remembers it
	awaitedStopper                     // it answered, but its process is still there
	awaitedLeaving                     // its process has gone, and the last Watch is on its way
	awaitedEnded
)

// awaitedID is an actor's name; for one of this system without an address, which may have changed since the PID was made.
type awaitedID struct{ address, id string }

func newAwaiter(system *actor.ActorSystem, pids []*actor.PID) *awaiter {
	a := &awaiter{system: system, byID: make(map[awaitedID]*awaited, len(pids)), next: firstAsk}
	for _, pid := range pids {
		if target := a.add(pid); target != nil {
			a.left++
		}
	}
	return a
}

// add is nil for an actor that is not there, or is among the targets.
func (a *awaiter) add(pid *actor.PID) *awaited {
	process, alive := a.system.ProcessRegistry.Get(pid)
	if !alive {
		return nil
	}
	id := awaitedID{pid.Address, pid.Id}
	if isActor(process) {
		id.address = ""
	}
	if a.byID[id] != nil {
		return nil
	}
	target := &awaited{pid: pid, process: process}
	a.byID[id] = target
	a.targets = append(a.targets, target)
	return target
}

// begin watches all targets, and then does to each of them what it is to end of.
func (a *awaiter) begin(act func(actor.Process, *actor.PID)) {
	a.answers = make(chan *actor.Terminated, len(a.targets))
	if a.left == 0 {
		return
	}
	a.pid, _ = a.system.ProcessRegistry.Add(a, "await"+a.system.ProcessRegistry.NextId())
	for _, target := range a.targets {
		a.ask(target)
	}
	if act == nil {
		return
	}
	for _, target := range a.targets {
		act(target.process, target.pid)
	}
}

func (a *awaiter) wait(ctx context.Context) error {
	if a.left == 0 {
		return nil
	}
	defer a.forget()
	again := time.NewTimer(time.Hour)
	again.Stop()
	defer again.Stop()
	for a.left > 0 {
		select {
		case answer := <-a.answers:
			target := a.find(answer.Who)
			if target == nil {
				continue
			}
			if answer.Why == actor.TerminatedReason_AddressTerminated {
				return a.givenUp(ErrUnreachable)
			}
			if a.onAnswer(target) {
				again.Reset(a.next)
			}
			if a.waiting != nil && a.waiting.state == awaitedEnded {
				return errNobodyWaits
			}
		case <-again.C:
			a.next = min(2*a.next, lastAsk)
			for _, target := range a.targets {
				if target.state == awaitedStopper {
					target.state = awaitedAsked
					a.ask(target)
				}
			}
		case <-a.canceled:
			return errNobodyWaits
		case <-ctx.Done():
			return a.givenUp(ctx.Err())
		}
	}
	return nil
}

// onAnswer says whether the target has to be asked again after a while.
func (a *awaiter) onAnswer(target *awaited) (again bool) {
	switch {
	case target.state == awaitedEnded || target.state == awaitedStopper:
		return false // an answer nobody asked for
	case target.state == awaitedLeaving || !isActor(target.process): // nobody knows how the latter answer: once, and that is it
		target.state = awaitedEnded
		if target != a.waiting {
			a.left--
		}
		return false
	}
	if process, alive := a.system.ProcessRegistry.Get(target.pid); alive && process == target.process {
		target.state = awaitedStopper
		return true
	}
	target.state = awaitedLeaving
	a.ask(target)
	return false
}

func (a *awaiter) ask(target *awaited) {
	target.process.SendSystemMessage(target.pid, &actor.Watch{Watcher: a.pid})
}

func (a *awaiter) find(who *actor.PID) *awaited {
	if target := a.byID[awaitedID{who.GetAddress(), who.GetId()}]; target != nil {
		return target
	}
	return a.byID[awaitedID{"", who.GetId()}]
}

func (a *awaiter) givenUp(err error) error {
	e := &AwaitError{Err: err}
	for _, target := range a.targets {
		if target != a.waiting && target.state != awaitedEnded {
			e.Left = append(e.Left, target.pid)
		}
	}
	return e
}

// forget leaves nothing behind: neither in the registry nor in those that live on.
func (a *awaiter) forget() {
	for _, target := range a.targets {
		if target.state == awaitedAsked {
			target.process.SendSystemMessage(target.pid, &actor.Unwatch{Watcher: a.pid})
		}
	}
	a.system.ProcessRegistry.Remove(a.pid)
}

// SendSystemMessage implements actor.Process, on the goroutine of whoever answers.
func (a *awaiter) SendSystemMessage(_ *actor.PID, message any) {
	if answer, ok := message.(*actor.Terminated); ok {
		select {
		case a.answers <- answer:
		default: // more answers than questions
		}
	}
}

// SendUserMessage implements actor.Process: nobody has anything to say to it.
func (a *awaiter) SendUserMessage(*actor.PID, any) {}

// Stop implements actor.Process: it ends by itself.
func (a *awaiter) Stop(*actor.PID) {}

func isActor(process actor.Process) bool {
	_, ok := process.(*actor.ActorProcess)
	return ok
}
