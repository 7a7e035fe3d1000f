package otp

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Mix says what random cases are made of. The zero value is one supervisor whose children end, fail to start and are asked for, one thing
// after the other.
type Mix struct {
	Depth int  // levels of supervisors below the root
	Waits bool // time passes, and periods are short
	Races bool // several things happen before a supervisor looks, or during a restart
}

// Random makes a tree of about as many children as size says, and as many steps, the first of which starts it. Everything that it makes
// is valid, and most steps concern somebody who runs when they come.
func Random(rng *rand.Rand, size int) (*Spec, []Step) { return Mix{Depth: 2}.Random(rng, size) }

// Random makes a case of the given mix.
func (x Mix) Random(rng *rand.Rand, size int) (*Spec, []Step) {
	g := &generator{Mix: x, rng: rng, left: max(1, size)}
	g.owner, g.children, g.simple = map[string]string{}, map[string][]string{}, map[string]bool{}
	g.spec = g.supervisor(Root, x.Depth)
	g.model = New(g.spec)
	if g.one(10) && !g.simple[Root] {
		g.do(g.fail(g.anyChild()))
	}
	g.do(Action{Op: Start})
	g.populate()
	for range size {
		if !g.model.Running(Root) {
			break
		}
		g.step()
	}
	for _, s := range g.supervisors {
		g.do(Action{Op: WhichChildren, Supervisor: s})
	}
	if g.one(2) {
		g.do(Action{Op: Stop})
	}
	return g.spec, g.steps
}

type generator struct {
	Mix
	rng         *rand.Rand
	left        int // children yet to be declared
	named       int
	spec        *Spec
	model       *Model // what has become of the tree so far
	steps       []Step
	supervisors []string
	owner       map[string]string   // of each child
	children    map[string][]string // of each supervisor, without templates
	simple      map[string]bool
}

func (g *generator) one(in int) bool { return g.rng.IntN(in) == 0 }

func pick[T any](g *generator, from ...T) T { return from[g.rng.IntN(len(from))] }

func (g *generator) do(s ...Action) {
	g.steps = append(g.steps, s)
	g.model.Do(s)
}

func (g *generator) name(letter string) string {
	g.named++
	return fmt.Sprint(letter, g.named)
}

// ---- the tree

func (g *generator) supervisor(name string, depth int) *Spec {
	g.supervisors = append(g.supervisors, name)
	s := &Spec{
		Strategy:     pick(g, OneForOne, OneForAll, RestForOne, RestForOne, SimpleOneForOne),
		Intensity:    g.rng.IntN(4),
		Period:       time.Minute,
		AutoShutdown: pick(g, Never, Never, AnySignificant, AllSignificant),
	}
	if name == Root {
		s.Intensity += 2 // or there would not be much to see
		if depth > 0 {
			s.Strategy = pick(g, OneForOne, OneForAll, RestForOne)
		}
	}
	if g.Waits {
		s.Period = time.Duration(1+g.rng.IntN(3)) * time.Second
	}
	if s.Strategy == SimpleOneForOne {
		g.simple[name] = true
		s.Children = []Child{g.worker(g.name("t"), s)}
		return s
	}
	for range 1 + g.rng.IntN(4) {
		g.left--
		if depth > 0 && g.left > 0 && g.one(2) {
			g.add(name, s, Child{Name: g.name("s"), Supervisor: &Spec{}}, depth-1)
		} else {
			g.add(name, s, g.worker(g.name("w"), s), 0)
		}
	}
	return s
}

func (g *generator) add(parent string, s *Spec, c Child, depth int) {
	g.own(parent, c.Name)
	if c.Supervisor != nil {
		c.Supervisor = g.supervisor(c.Name, depth)
		g.kind(&c, s)
	}
	s.Children = append(s.Children, c)
}

func (g *generator) own(parent, name string) {
	if _, known := g.owner[name]; !known {
		g.children[parent] = append(g.children[parent], name)
		g.owner[name] = parent
	}
}

func (g *generator) worker(name string, s *Spec) Child {
	c := Child{Name: name, OnStop: pick(g, "", "", "", Normal, "crash")}
	if g.one(5) {
		c.Shutdown, c.OnStop = BrutalKill, ""
	}
	g.kind(&c, s)
	return c
}

func (g *generator) kind(c *Child, s *Spec) {
	c.Restart = pick(g, Permanent, Permanent, Transient, Temporary)
	c.Significant = c.Restart != Permanent && s.AutoShutdown != Never && g.one(2)
}

// populate gives the simple_one_for_one supervisors their first children.
func (g *generator) populate() {
	for _, s := range g.supervisors {
		for range 2 {
			if g.simple[s] {
				g.do(g.start(s))
			}
		}
	}
}

func (g *generator) start(s string) Action {
	c := g.name("d")
	g.own(s, c)
	return Action{Op: StartChild, Supervisor: s, Name: c}
}

// ---- what happens to it

func (g *generator) step() {
	switch n := g.rng.IntN(20); {
	case g.Races && n < 8:
		g.race()
	case g.Waits && n < 6:
		g.do(Action{Op: Wait, Wait: time.Duration(1+g.rng.IntN(3)) * time.Second})
	case n < 10:
		g.do(g.exit(g.anyRunning()))
	case n < 14:
		child := g.anyChild()
		g.do(g.fail(child))
		g.do(g.exit(g.runningOf(g.owner[child])))
	default:
		g.do(g.call(pick(g, g.supervisors...)))
	}
}

// race is several things about one supervisor at once, or one during a restart.
func (g *generator) race() {
	if g.one(2) {
		child := g.anyChild()
		fail := g.fail(child)
		fail.With = g.during(child)
		g.do(fail)
		g.do(g.exit(g.runningOf(g.owner[child])))
		return
	}
	s := pick(g, g.supervisors...)
	if !g.model.Running(s) {
		s = Root
	}
	step := Step{g.about(s)}
	for range 1 + g.rng.IntN(2) {
		step = append(step, g.about(s))
	}
	g.do(step...)
}

// during is something that happens while child is being restarted, often about itself.
func (g *generator) during(child string) *Action {
	a := Action{Op: pick(g, TerminateChild, RestartChild, DeleteChild), Supervisor: g.owner[child], Name: child}
	if g.one(2) {
		a = g.about(g.owner[child])
	}
	return &a
}

// about is something that its supervisor finds in its mailbox: the end of one of its children, or a call.
func (g *generator) about(s string) Action {
	if child := g.runningOf(s); child != "" && g.owner[child] == s && !g.one(3) {
		return g.exit(child)
	}
	return g.call(s)
}

func (g *generator) exit(name string) Action {
	reason := pick(g, "crash", "crash", "crash", "crash", Normal, ShutdownStop, "{shutdown,done}", Killed)
	if reason == Killed && g.isSupervisor(name) {
		reason = "crash"
	}
	return Action{Op: Exit, Name: name, Reason: reason}
}

func (g *generator) fail(name string) Action {
	return Action{Op: Fail, Name: name, Times: pick(g, 1, 1, 1, 2, 2, 3)}
}

func (g *generator) call(s string) Action {
	children := g.children[s]
	op := pick(g, StartChild, StartChild, TerminateChild, TerminateChild, RestartChild, RestartChild, DeleteChild, WhichChildren)
	switch {
	case op == WhichChildren:
		return Action{Op: op, Supervisor: s}
	case op == StartChild && g.simple[s]:
		return g.start(s)
	case op == StartChild:
		c := g.worker(g.name("w"), &Spec{AutoShutdown: AnySignificant}) // perhaps significant where it may not be
		if w := pick(g, children...); g.one(2) && !g.isSupervisor(w) {
			c.Name = w
		}
		g.own(s, c.Name)
		return Action{Op: op, Supervisor: s, Name: c.Name, Child: &c}
	default:
		return Action{Op: op, Supervisor: s, Name: pick(g, children...)}
	}
}

// ---- somebody

func (g *generator) isSupervisor(name string) bool { return slices.Contains(g.supervisors, name) }

// anyChild is a child of somebody, running or not, and not the root.
func (g *generator) anyChild() string {
	for range 20 {
		if children := g.children[pick(g, g.supervisors...)]; len(children) > 0 {
			return pick(g, children...)
		}
	}
	return pick(g, g.children[Root]...)
}

// anyRunning is a child that runs, or else the root; now and then the root anyway.
func (g *generator) anyRunning() string {
	if g.one(40) {
		return Root
	}
	for range 20 {
		if name := g.anyChild(); g.model.Running(name) {
			return name
		}
	}
	return Root
}

// runningOf is a running child of s, if it has any, or else of somebody.
func (g *generator) runningOf(s string) string {
	for range 20 {
		if children := g.children[s]; len(children) > 0 {
			if name := pick(g, children...); g.model.Running(name) {
				return name
			}
		}
	}
	return g.anyRunning()
}
