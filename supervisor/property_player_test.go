package supervisor_test

import (
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// player plays a case of the model's on the real supervisor, step by step, in a synctest bubble, and says what it observes in the model's words.
// The case's root is the child of a supervisor top, as OTP's has a parent too: so that the end of the root is seen with its reason.
type player struct {
	system   *actor.ActorSystem
	hub      *supervisor.Hub
	cancel   func()
	top      *actor.PID
	began    time.Time
	directs  map[string]bool         // supervisors that fail to start or end themselves in this case
	paths    map[string]string       // of the actors, by the model's names
	strategy map[string]otp.Strategy // of the supervisors
	calls    []*call                 // of the step that is played

	mu      sync.Mutex
	events  []otp.Event
	running map[string]bool           // has started and not ended
	once    map[string]bool           // has started at some time
	failing map[string]*failingStarts // starts that are to fail
	alive   map[string]bool           // the same of the workers, as they know it themselves; the hub's events come a little later
	doomed  map[string]int            // how many starts have been made to fail, and nobody has said so yet
	leaving map[string]*departure     // has ended itself, and its supervisor has not said so yet
	gates   map[string]chan struct{}  // supervisors that must not look into their mailboxes
	during  *interruption             // a start that waits for something to happen
	hanging []hanging
	release chan struct{} // closed to free those who hang
	crashes int
}

type failingStarts struct {
	times int
	with  *otp.Action
}

type departure struct {
	reason string
	told   bool // in the trace
}

type interruption struct {
	action  otp.Action
	release chan struct{}
}

type hanging struct{ until time.Time }

func newPlayer(c otp.Case) *player {
	p := &player{
		system: newSystem(), hub: supervisor.NewHub(), began: time.Now(), directs: map[string]bool{}, paths: map[string]string{},
		strategy: map[string]otp.Strategy{}, running: map[string]bool{}, once: map[string]bool{}, failing: map[string]*failingStarts{},
		doomed: map[string]int{}, alive: map[string]bool{}, leaving: map[string]*departure{}, gates: map[string]chan struct{}{}, release: make(chan struct{}),
	}
	for _, s := range c.Steps {
		for _, a := range s {
			p.directs[a.Name] = p.directs[a.Name] || a.Op == otp.Exit || a.Op == otp.Fail
			if a.With != nil && a.With.Op == otp.Exit {
				p.directs[a.With.Name] = true
			}
		}
	}
	p.cancel = p.hub.Subscribe(100_000, p.on)
	p.paths[otp.Root] = "top/" + otp.Root
	top, err := supervisor.Spawn(p.system.Root, supervisor.Spec{Name: "top", Events: p.hub})
	if err != nil {
		panic(err)
	}
	p.top = top
	return p
}

// end stops what is left of the tree, and says whether it went.
func (p *player) end() bool {
	close(p.release)
	p.system.Root.Stop(p.top)
	time.Sleep(2 * callTimeout)
	synctest.Wait()
	p.cancel()
	_, alive := p.system.ProcessRegistry.Get(p.top)
	settle()
	return !alive
}

// do plays one step until nothing moves any more. Of several actions, each has reached the mailbox of their supervisor before the next
// happens, and that looks when all are there.
func (p *player) do(root *otp.Spec, s otp.Step) []otp.Event {
	p.calls = nil
	var open func()
	if len(s) > 1 {
		open = p.closeGate(p.about(s[0]))
	}
	for i := range s {
		p.act(root, &s[i])
		synctest.Wait()
	}
	if open != nil {
		open()
	}
	p.settle()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		p.events = append(p.events, otp.Event{Kind: otp.Replied, Name: c.name, Reason: p.answer(c)})
	}
	for name, d := range p.leaving {
		p.events = append(p.events, otp.Event{Kind: "unnoticed", Name: name, Reason: d.reason})
	}
	for name, n := range p.doomed {
		if n != 0 {
			p.events = append(p.events, otp.Event{Kind: "unnoticed", Name: name, Reason: "failed start"})
		}
	}
	events := p.events
	p.events = nil
	return slices.Clip(events)
}

// about is the supervisor that an action is about.
func (p *player) about(a otp.Action) string {
	if a.Op != otp.Exit {
		return a.Supervisor
	}
	return lastOf(strings.TrimSuffix(p.paths[a.Name], "/"+a.Name)) // nobody, if it has never been declared
}

// closeGate keeps a supervisor that has nothing to do from handling what comes: it asks for the time first, and does not get it.
func (p *player) closeGate(name string) (open func()) {
	gate := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gates[name] = gate
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.gates, name)
		close(gate)
	}
}

// clock is a supervisor's Now. It shows whole seconds, as OTP counts restarts by those.
func (p *player) clock(name string) func() time.Time {
	return func() time.Time {
		p.mu.Lock()
		gate := p.gates[name]
		p.mu.Unlock()
		if gate != nil {
			<-gate
		}
		return p.began.Add(time.Since(p.began).Truncate(time.Second))
	}
}

// settle waits until nothing moves any more; what is to happen during a start happens on the way, and the time of who hangs passes.
func (p *player) settle() {
	for {
		synctest.Wait()
		p.mu.Lock()
		during := p.during
		p.during = nil
		var until time.Time
		if len(p.hanging) > 0 {
			until, p.hanging = p.hanging[0].until, p.hanging[1:]
		}
		p.mu.Unlock()
		switch {
		case during != nil:
			p.act(nil, &during.action)
			synctest.Wait()
			close(during.release)
		case !until.IsZero():
			time.Sleep(time.Until(until))
		default:
			return
		}
	}
}

func (p *player) act(root *otp.Spec, a *otp.Action) {
	switch a.Op {
	case otp.Start:
		spec := p.child("top", otp.Child{Name: otp.Root, Restart: otp.Temporary, Supervisor: root})
		p.system.Root.Send(p.top, supervisor.StartChild{Child: spec})
	case otp.Stop:
		if p.runs(otp.Root) {
			p.system.Root.Send(p.top, supervisor.StopChild{Name: otp.Root})
		}
	case otp.Exit:
		if p.runs(a.Name) {
			p.system.Root.Send(p.pid(a.Name), leave{a.Reason})
		}
	case otp.Fail:
		p.mu.Lock()
		p.failing[a.Name] = &failingStarts{a.Times, a.With}
		p.mu.Unlock()
	case otp.Wait:
		time.Sleep(a.Wait)
	default:
		p.call(a)
	}
}

func (p *player) pid(name string) *actor.PID { return actor.NewPID(p.system.Address(), p.paths[name]) }

func (p *player) runs(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running[name]
}
