package fault

// panicKind breaks the request or message that is about to be handled, and the actor that was about to handle it: it panics on
// the goroutine of the handler, as a handler with a bug would.
var panicKind = kind{
	name:   "panic",
	keys:   []string{"every"},
	strike: func(s Spec, _ <-chan struct{}) { panic(Injected{Spec: s}) },
}

// Injected is the value that an injected panic carries, so that whoever recovers it can tell it from a real one.
type Injected struct {
	Spec Spec // the fault that struck
}

// String names the fault: injected fault "panic worker/* p=0.01".
func (i Injected) String() string { return `injected fault "` + i.Spec.String() + `"` }
