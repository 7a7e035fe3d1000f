package fault

import "time"

// slowKind delays the request that is about to be handled, and all that waits for the same actor: it sleeps on the goroutine
// of the handler, and nothing cuts the sleep short.
var slowKind = kind{
	name:   "slow",
	keys:   []string{"delay"},
	needs:  []string{"delay"},
	blocks: true,
	strike: func(s Spec, _ <-chan struct{}) { time.Sleep(s.delay) },
}
