package supervisor

import (
	"math"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Grouping is a supervisor's strategy: who is restarted when one child is. The names and rules are those of OTP's supervisor(3).
type Grouping int

const (
	OneForOne  Grouping = iota // the child alone
	OneForAll                  // all children: stopped in reverse order and started again in order
	RestForOne                 // the child and those that were started after it
	// Dynamic is OTP's simple_one_for_one: any number of children of one kind (Spec.Template), started on request, restarted alone, stopped all at once.
	Dynamic
)

// String returns the name that OTP has for it, such as "one-for-all", or "dynamic".
func (g Grouping) String() string {
	return nameOf(int(g), "strategy", "one-for-one", "one-for-all", "rest-for-one", "dynamic")
}

// RestartType says after which ends a child is restarted.
type RestartType int

const (
	RestartPermanent RestartType = iota // after every one
	RestartTransient                    // after an abnormal one (Reason.Abnormal)
	RestartTemporary                    // never; its declaration goes with it
)

// String returns "permanent", "transient" or "temporary".
func (t RestartType) String() string {
	return nameOf(int(t), "restart type", "permanent", "transient", "temporary")
}

// AutoShutdown says when a supervisor ends because its significant children have ended by themselves and are not restarted.
type AutoShutdown int

const (
	Never          AutoShutdown = iota // and no child may be significant
	AnySignificant                     // with the first of them
	AllSignificant                     // with the last
)

// String returns "never", "any significant" or "all significant".
func (a AutoShutdown) String() string {
	return nameOf(int(a), "auto-shutdown", "never", "any significant", "all significant")
}

func nameOf(i int, what string, names ...string) string {
	if i >= 0 && i < len(names) {
		return names[i]
	}
	return what + " " + strconv.Itoa(i)
}

// Values of ChildSpec.Shutdown that are no time.
const (
	// Brutal abandons the child at once, without telling it: neither Stopping nor Stopped reaches it, and what it is doing goes on unseen.
	// A supervisor is told to do the same to its children, and ends.
	Brutal time.Duration = -1
	// Infinite waits for as long as the child takes.
	Infinite time.Duration = math.MaxInt64
)

// DefaultShutdown is how long a child that is no supervisor may take to stop if it does not say; the same as OTP's.
const DefaultShutdown = 5 * time.Second

// DefaultBudget is the budget of a supervisor that does not say: OTP's intensity 1 within a period of 5 seconds.
var DefaultBudget = Budget{Intensity: 1, Period: 5 * time.Second}

// ChildSpec declares one child. It is only read, and may be used for any number of supervisors.
type ChildSpec struct {
	// Name is the last part of the child's id, below the supervisor's. It must be unique under its supervisor and not contain a slash. Only
	// a dynamic child may leave it empty: it gets a number.
	Name string
	// Props is what the child is made of; or, for a supervisor, Supervisor. One of the two. The Props are cloned at each start, and must not
	// have a mailbox of their own: see Mailbox; nor a spawner, as a router's have. The child gets a guard (see Guard) inside of its other middleware, unless it has one.
	Props *actor.Props
	// Supervisor declares the child if it is a supervisor itself. nil: Props says what the child is.
	Supervisor *Spec
	// Mailbox makes the child's mailbox. nil: the library's unbounded one.
	Mailbox actor.MailboxProducer
	// Guarded promises that the producer of Props returns a Guard. It spares the guard that is added otherwise, which costs an allocation a
	// message. A child that breaks the promise fails to start.
	Guarded bool

	// Restart says after which ends the child is restarted. The zero value is RestartPermanent.
	Restart RestartType
	// Shutdown is how long the child may take to stop: longer, and it is killed, which means abandoned (see Killed). 0: DefaultShutdown, or
	// Infinite for a supervisor. Brutal and Infinite are the other values.
	Shutdown time.Duration
	// Backoff is the delay before a restart. The zero value does not wait, as OTP does not.
	Backoff Backoff
	// Significant children end their supervisor as its AutoShutdown says. A permanent child cannot be significant.
	Significant bool
	// Decide may overrule the restart type when the child has failed while it runs. 0, and nil: it does not. Resume goes on with the next
	// message; Restart restarts at once, RestartLater after the backoff, both whatever the type; Stop does not restart; Escalate stops all
	// children and ends the supervisor with the same failure.
	// A failure in Started is not its business, and Exit, with whatever error, is an end and no failure that could be resumed: there the type decides.
	// It is called on the supervisor's goroutine and must not block; if it panics, the type decides. See ByClass.
	Decide func(f *Failure) Directive
}

// ByClass is a Decide that goes by the class of the failure, as DirectiveFor does.
func ByClass(f *Failure) Directive { return DirectiveFor(Classify(f)) }

// Spec declares a supervisor. It is only read once its props are made; props of it may be used for any number of actors.
//
// The zero value is a one-for-one supervisor without children that takes some on request.
type Spec struct {
	// Name stands in errors, and is the actor's name when Spawn starts it. It may be empty.
	Name string
	// Strategy says who is restarted with a child that is. The zero value is OneForOne.
	Strategy Grouping
	// Budget is how many restarts, of all children together, are too many; then the supervisor stops its children and ends with
	// ReasonBudgetSpent. A restart of several children counts once; each attempt counts, if the child fails to start. The zero value is
	// DefaultBudget; NoRestarts allows none.
	Budget Budget
	// AutoShutdown says whether the end of significant children ends the supervisor. The zero value is Never.
	AutoShutdown AutoShutdown
	// Children are started in this order, each when the one before has handled Started, and stopped in reverse.
	Children []ChildSpec
	// Template is what a Dynamic supervisor's children have in common. Its Name and, if StartChild brings some, its Props are left out.
	Template ChildSpec

	// Events gets what happens to the children. A Spec in a ChildSpec without Events, Tree, Now or Rand takes its parent's. nil: none.
	Events *Hub
	// Tree shows the running supervisor from outside. nil: nothing does, but requests.
	Tree *Tree
	Now  func() time.Time // nil: time.Now. Delays and time-outs use the timers of package time
	Rand func() float64   // for Backoff; nil: rand.Float64
}

// NoRestarts is a Budget that allows none; the zero Budget of a Spec is DefaultBudget.
var NoRestarts = Budget{Intensity: 0, Period: 1}

func (s *Spec) budget() Budget {
	if s.Budget == (Budget{}) {
		return DefaultBudget
	}
	return s.Budget
}

// shutdown is Shutdown with its default.
func (c *ChildSpec) shutdown() time.Duration {
	if c.Shutdown != 0 {
		return c.Shutdown
	}
	if c.isSupervisor() {
		return Infinite
	}
	return DefaultShutdown
}

func (c *ChildSpec) isSupervisor() bool {
	return c.Supervisor != nil || c.Props != nil && mailboxOf(c.Props) == mailboxOurs
}

// inherit is s with what it leaves out taken from its parent.
func (s Spec) inherit(parent *Spec) Spec {
	if s.Events == nil {
		s.Events = parent.Events
	}
	if s.Now == nil {
		s.Now = parent.Now
	}
	if s.Rand == nil {
		s.Rand = parent.Rand
	}
	return s
}
