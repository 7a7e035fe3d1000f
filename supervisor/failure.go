package supervisor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// ErrGoexit is the Value of a Failure whose goroutine called runtime.Goexit (as testing.T.FailNow does).
var ErrGoexit = errors.New("runtime.Goexit was called")

// The phases of an actor's life in which it can fail, as Failure.Phase names them.
const (
	PhaseReceive    = "receive"    // any message that is not one of the four below
	PhaseStarted    = "started"    // *actor.Started, at the start of each instance
	PhaseStopping   = "stopping"   // *actor.Stopping
	PhaseStopped    = "stopped"    // *actor.Stopped
	PhaseRestarting = "restarting" // *actor.Restarting, of the instance that goes
)

// Failure is one failure of one actor: the reason that Proto.Actor hands to the parent's strategy when the child is guarded.
// It is immutable once it was raised, and may then be read on any goroutine.
type Failure struct {
	Value    any       // what recover returned; ErrGoexit after a runtime.Goexit
	PCs      []uintptr // the stack of the panic, innermost first, at most 64 deep; nil if the child was not guarded. See Stack
	Message  string    // Go type of the message that was being handled, e.g. "*actor.Started"; "" if unknown
	Phase    string    // one of the Phase constants
	Incident string    // names this failure in logs and in answers to clients; see NewIncident
	Goexit   bool      // the goroutine ended itself, nothing panicked
}

// maxFrames bounds what a failure remembers of a deep stack: the innermost frames say what went wrong.
const maxFrames = 64

// NewFailure makes a Failure of a recovered value and the message that was being handled (its envelope, if any, is taken off).
// Called in the deferred function that recovered, it captures the stack of the panic; elsewhere, the stack of its caller.
// It costs about a microsecond: nothing is symbolized before Stack is called.
func NewFailure(value any, message any) *Failure {
	message = actor.UnwrapEnvelopeMessage(message)
	var pcs [maxFrames]uintptr
	n := runtime.Callers(2, pcs[:])
	return &Failure{
		Value:    value,
		PCs:      append([]uintptr(nil), pcs[:n]...),
		Message:  typeName(message),
		Phase:    phaseOf(message),
		Incident: NewIncident(),
	}
}

// failureOf is the reason of a library failure as a *Failure: itself, or wrapped, without a stack, if the child was not guarded.
func failureOf(reason, message any) *Failure {
	if f, ok := reason.(*Failure); ok && f != nil {
		return f
	}
	message = actor.UnwrapEnvelopeMessage(message)
	return &Failure{Value: reason, Message: typeName(message), Phase: phaseOf(message), Incident: NewIncident()}
}

// Error says what was being handled and what it failed with; it is for logs, not for clients.
func (f *Failure) Error() string {
	what := "panic"
	if f.Goexit {
		what = "exit"
	}
	if _, ok := f.Value.(error); ok && !f.Goexit {
		what = "failure"
	}
	return fmt.Sprintf("%s in %s handling %s: %v (incident %s)", what, f.Phase, f.Message, f.Value, f.Incident)
}

// Unwrap returns Value if it is an error, else nil.
func (f *Failure) Unwrap() error {
	err, _ := f.Value.(error)
	return err
}

// guardFrames are the functions of this package below which a stack shows only the library's machinery.
var guardFrames = reflect.TypeFor[Failure]().PkgPath() + ".(*guard"

// Stack is the stack of the failure in the form of a Go traceback, starting at the function that panicked and ending above the guard.
// It is empty if no stack was captured. Each call symbolizes anew, some tens of microseconds: call it where the failure is shown.
func (f *Failure) Stack() string {
	if len(f.PCs) == 0 {
		return ""
	}
	var all []runtime.Frame
	start := 0
	frames := runtime.CallersFrames(f.PCs)
	for {
		frame, more := frames.Next()
		all = append(all, frame)
		// The first of them is the latest panic: a deferred function that panics itself lies above the one it replaced.
		if start == 0 && (frame.Function == "runtime.gopanic" || frame.Function == "runtime.Goexit") {
			start = len(all)
		}
		if !more {
			break
		}
	}
	// The runtime's own helpers (sigpanic, panicIndex, …) stand between gopanic and the function at fault.
	for start > 0 && start < len(all) && strings.HasPrefix(all[start].Function, "runtime.") {
		start++
	}
	var b strings.Builder
	for _, frame := range all[start:] {
		if strings.HasPrefix(frame.Function, guardFrames) {
			break
		}
		b.WriteString(frame.Function)
		b.WriteString("\n\t")
		b.WriteString(frame.File)
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(frame.Line))
		b.WriteByte('\n')
	}
	return b.String()
}

func typeName(message any) string {
	if message == nil {
		return ""
	}
	return reflect.TypeOf(message).String()
}

func phaseOf(message any) string {
	switch message.(type) {
	case *actor.Started:
		return PhaseStarted
	case *actor.Stopping, *actor.Stop: // an unguarded child's failure names the system message
		return PhaseStopping
	case *actor.Stopped:
		return PhaseStopped
	case *actor.Restarting, *actor.Restart:
		return PhaseRestarting
	default:
		return PhaseReceive
	}
}

var (
	incidentSeed  = rand.Uint64()
	incidentCount atomic.Uint64
)

// NewIncident returns a name for one failure: 12 characters (digits and lower-case letters without i, l, o and u: Crockford's base 32),
// unique in this process and random from one process to the next. Safe on any goroutine; the string is its only allocation.
func NewIncident() string {
	// Each step is a bijection on 60 bits, so different counts give different names.
	const mask = 1<<60 - 1
	x := (incidentCount.Add(1) + incidentSeed) & mask
	x ^= x >> 31
	x = x * 0xbf58476d1ce4e5b9 & mask
	x ^= x >> 29
	x = x * 0x94d049bb133111eb & mask
	x ^= x >> 32
	var name [12]byte
	for i := range name {
		name[i] = "0123456789abcdefghjkmnpqrstvwxyz"[x&31]
		x >>= 5
	}
	return string(name[:])
}
