package supervisor

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// ChildState is where in its life a supervised child is.
type ChildState int

const (
	ChildIdle     ChildState = iota // declared, and has no actor
	ChildStarting                   // has not handled Started yet
	ChildRunning                    // has handled Started
	ChildExited                     // has ended or failed, and waits for a decision
	ChildWaiting                    // for its restart
	ChildStopping                   // told to stop
)

// String returns the state in lower case, such as "running".
func (s ChildState) String() string {
	return nameOf(int(s), "state", "idle", "starting", "running", "exited", "waiting", "stopping")
}

// Node is one actor of a supervision tree at one moment. It is a copy; what it points to is immutable.
type Node struct {
	Name        string      // under its supervisor
	PID         *actor.PID  // nil if it has no actor
	State       ChildState  // of its life
	Supervisor  bool        // else a worker
	Restart     RestartType // as declared; of the root, the zero value
	Significant bool        // as declared
	Incarnation int         // of the present or last instance; -1 before the first
	Restarts    int         // attempted
	Mailbox     int         // user messages that wait; -1 if unknown
	LastFailure *Failure    // nil: none

	// Of a supervisor that runs.
	Strategy   Grouping // as declared
	BudgetLeft int      // restarts that its budget allows now
	Children   []Node   // in the order of starting
}

// Tree shows a running supervisor and all supervisors below it: give one to Spec.Tree. The zero value is ready, and shows nothing until the
// supervisor starts. Do not share one between supervisors. Its methods may be called on any goroutine.
type Tree struct{ super atomic.Pointer[supervisor] }

// Snapshot is what the tree looks like now; false while the supervisor does not run. It asks no actor: each supervisor in turn is only kept
// from changing its children while they are copied (BenchmarkSnapshot: a fraction of a microsecond a child), and the workers notice nothing. The
// levels are not from the same instant.
func (t *Tree) Snapshot() (Node, bool) {
	if t == nil {
		return Node{}, false
	}
	s := t.super.Load()
	if s == nil {
		return Node{}, false
	}
	root := s.snapshot()
	root.Mailbox = -1
	return root, true
}

func (t *Tree) enter(s *supervisor) {
	if t != nil {
		t.super.Store(s)
	}
}

func (t *Tree) leave(s *supervisor) {
	if t != nil {
		t.super.CompareAndSwap(s, nil)
	}
}

// snapshot is the part of a node that the supervisor knows of itself.
func (s *supervisor) snapshot() Node {
	now := s.spec.Now()
	s.mu.Lock()
	node := Node{
		Name: s.spec.Name, PID: s.pid, State: s.core.phase.state(), Supervisor: true, Strategy: s.spec.Strategy, BudgetLeft: s.core.meter.Left(now),
		Children: make([]Node, 0, len(s.core.kids)),
	}
	nested := make(map[int]*supervisor)
	for _, ch := range s.core.sorted() {
		m := ch.rule.ref.(*member)
		child := Node{
			Name: ch.rule.name, State: ch.state, Supervisor: m.spec.isSupervisor(), Restart: ch.rule.restart, Significant: ch.rule.significant,
			Incarnation: ch.incarnation, Restarts: ch.restarts, Mailbox: -1, LastFailure: ch.last,
		}
		if m.link != nil {
			child.PID = m.link.pid
			if m.link.mailbox != nil {
				child.Mailbox = m.link.mailbox.UserMessageCount()
			}
			if below := m.link.super.Load(); below != nil {
				nested[len(node.Children)] = below
			}
		}
		node.Children = append(node.Children, child)
	}
	s.mu.Unlock()
	// Their locks are taken one after the other, never one inside of the other.
	for i, below := range nested {
		inner := below.snapshot()
		child := &node.Children[i]
		child.Strategy, child.BudgetLeft, child.Children = inner.Strategy, inner.BudgetLeft, inner.Children
		if child.State == ChildRunning {
			child.State = inner.State // it may be ending by itself, which the one above hears of when it has
		}
	}
	return node
}

// state is what the supervisor would be as a child.
func (p phase) state() ChildState {
	switch {
	case p < phaseUp:
		return ChildStarting
	case p == phaseUp:
		return ChildRunning
	}
	return ChildStopping
}

func (s *supervisor) count() Counts {
	n := Counts{Specs: len(s.core.kids)}
	for _, ch := range s.core.kids {
		if ch.state == ChildStarting || ch.state == ChildRunning || ch.state == ChildStopping {
			n.Active++
		}
		if ch.rule.ref.(*member).spec.isSupervisor() {
			n.Supervisors++
		} else {
			n.Workers++
		}
	}
	return n
}
