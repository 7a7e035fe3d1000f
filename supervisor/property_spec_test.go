package supervisor_test

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

var groupings = map[otp.Strategy]supervisor.Grouping{
	otp.OneForOne: supervisor.OneForOne, otp.OneForAll: supervisor.OneForAll,
	otp.RestForOne: supervisor.RestForOne, otp.SimpleOneForOne: supervisor.Dynamic,
}

var restartTypes = map[otp.Restart]supervisor.RestartType{
	"": supervisor.RestartPermanent, otp.Permanent: supervisor.RestartPermanent,
	otp.Transient: supervisor.RestartTransient, otp.Temporary: supervisor.RestartTemporary,
}

var autoShutdowns = map[otp.AutoShutdown]supervisor.AutoShutdown{
	"": supervisor.Never, otp.Never: supervisor.Never, otp.AnySignificant: supervisor.AnySignificant, otp.AllSignificant: supervisor.AllSignificant,
}

// spec is a supervisor's declaration in this package's words.
func (p *player) spec(name string, s *otp.Spec) supervisor.Spec {
	p.strategy[name] = s.Strategy
	spec := supervisor.Spec{
		Name: name, Strategy: groupings[s.Strategy], Budget: supervisor.Budget{Intensity: s.Intensity, Period: s.Period},
		AutoShutdown: autoShutdowns[s.AutoShutdown], Events: p.hub, Now: p.clock(name),
	}
	for _, c := range s.Children {
		child := p.child(p.paths[name], c)
		if s.Strategy == otp.SimpleOneForOne {
			spec.Template = child
			continue
		}
		spec.Children = append(spec.Children, child)
	}
	return spec
}

// child is a child's declaration below the actor of that path. A supervisor that does nothing by itself in this case is given as a Spec, the others
// as Props with middleware that makes them do it.
func (p *player) child(above string, c otp.Child) supervisor.ChildSpec {
	p.paths[c.Name] = above + "/" + c.Name
	child := supervisor.ChildSpec{Name: c.Name, Restart: restartTypes[c.Restart], Significant: c.Significant}
	switch c.Shutdown {
	case otp.BrutalKill:
		child.Shutdown = supervisor.Brutal
	case otp.Infinity:
		child.Shutdown = supervisor.Infinite
	default:
		child.Shutdown = time.Duration(c.Shutdown)
	}
	if c.Supervisor == nil {
		child.Props = p.worker(c)
		return child
	}
	spec := p.spec(c.Name, c.Supervisor)
	if p.directs[c.Name] {
		child.Props = spec.Props(actor.WithReceiverMiddleware(p.directed))
	} else {
		child.Supervisor = &spec
	}
	return child
}

// call is a request, and its answer when there is one.
type call struct {
	action *otp.Action
	name   string
	answer any
	err    error
	done   bool
}

const callTimeout = 24 * time.Hour // longer than a case plays; then nobody has answered

func (p *player) call(a *otp.Action) {
	c := &call{action: a, name: a.Name}
	var message any
	switch a.Op {
	case otp.WhichChildren:
		c.name, message = a.Supervisor, supervisor.GetChildren{}
	case otp.StartChild:
		message = supervisor.StartChild{Child: p.started(a)}
	case otp.TerminateChild:
		message = supervisor.StopChild{Name: a.Name}
	case otp.RestartChild:
		message = supervisor.RestartChild{Name: a.Name}
	case otp.DeleteChild:
		message = supervisor.DeleteChild{Name: a.Name}
	}
	p.calls = append(p.calls, c)
	f := p.system.Root.RequestFuture(p.pid(a.Supervisor), message, callTimeout)
	go func() {
		answer, err := f.Result()
		p.mu.Lock()
		defer p.mu.Unlock()
		c.answer, c.err, c.done = answer, err, true
	}()
}

// started is the declaration of a child that is started on request. A dynamic one brings nothing but its name.
func (p *player) started(a *otp.Action) supervisor.ChildSpec {
	if a.Child != nil {
		return p.child(p.paths[a.Supervisor], *a.Child)
	}
	p.paths[a.Name] = p.paths[a.Supervisor] + "/" + a.Name
	return supervisor.ChildSpec{Name: a.Name}
}

// answer is the model's word for the answer to a call.
func (p *player) answer(c *call) string {
	super := c.action.Supervisor
	dynamic := p.strategy[super] == otp.SimpleOneForOne
	ended := slices.ContainsFunc(p.events, func(e otp.Event) bool { return e.Name == super && (e.Kind == otp.Exited || e.Kind == otp.Stopped) })
	switch {
	case (!c.done || c.err != nil) && (ended || !p.running[super]):
		// Proto.Actor drops what is in the mailbox of an actor that stops, and says nothing; OTP tells who has called.
		return otp.NoProc
	case !c.done || c.err != nil:
		return "unanswered"
	}
	if children, ok := c.answer.(supervisor.Children); ok {
		return list(children.List, dynamic)
	}
	reply, ok := c.answer.(supervisor.ChildReply)
	switch {
	case !ok:
		return "what?"
	case reply.Err == nil:
		return otp.OK
	case dynamic && errors.Is(reply.Err, supervisor.ErrNotFound) && p.once[c.name]:
		// OTP knows these children by process, and says ok of any process that has been there once; here they have names.
		return otp.OK
	}
	return refusal(reply.Err)
}

func refusal(err error) string {
	for _, r := range []struct {
		err  error
		word string
	}{
		{supervisor.ErrNotFound, otp.NotFound}, {supervisor.ErrAlreadyStarted, otp.AlreadyStarted}, {supervisor.ErrAlreadyPresent, otp.AlreadyPresent},
		{supervisor.ErrRunning, otp.Running}, {supervisor.ErrRestarting, otp.Restarting}, {supervisor.ErrDynamic, otp.Simple},
		{supervisor.ErrStopping, otp.NoProc}, // the supervisor will not be there any more
		{supervisor.ErrExited, otp.StartFailed}, {errCrash, otp.StartFailed},
	} {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	if _, ok := errors.AsType[*supervisor.SpecError](err); ok {
		return otp.BadSpec
	}
	if _, ok := errors.AsType[*supervisor.StartError](err); ok {
		return otp.StartFailed
	}
	return err.Error()
}

func list(nodes []supervisor.Node, dynamic bool) string {
	var words []string
	for _, n := range nodes {
		state := n.State.String()
		switch n.State {
		case supervisor.ChildIdle:
			state = "undefined"
		case supervisor.ChildWaiting:
			state = otp.Restarting
		}
		words = append(words, n.Name+"="+state)
	}
	if dynamic {
		slices.Sort(words)
	}
	return "[" + strings.Join(words, ",") + "]"
}
