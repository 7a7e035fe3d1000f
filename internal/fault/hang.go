package fault

import "time"

// hangKind holds up the request that is about to be handled, and all that waits for the same actor, as a handler that does not
// return would: it blocks the goroutine of the handler for the time given or for ever, and only Injector.Release cuts it short.
var hangKind = kind{
	name:     "hang",
	keys:     []string{"for"},
	blocks:   true,
	released: true,
	strike: func(s Spec, released <-chan struct{}) {
		var over <-chan time.Time // nil never comes
		if s.hold > 0 {
			over = time.After(s.hold)
		}
		select {
		case <-released:
		case <-over:
		}
	},
}
