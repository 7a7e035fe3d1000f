package understudy

import "github.com/understudy-go/understudy/actors"

// Routing says which idle worker gets requests; it is [Config].Routing. Workers that are busy get none: what finds no worker idle
// waits, and so does what has to wait for its key's turn. The zero value is [FirstIdle].
type Routing int

// The ways to choose among idle workers. Replies are the same, and in the same order, with all of them.
const (
	FirstIdle   Routing = Routing(actors.FirstIdle)   // FirstIdle takes the one with the lowest number: under a light load the same few stay warm.
	RoundRobin  Routing = Routing(actors.RoundRobin)  // RoundRobin takes the next one after the one that was taken last.
	Random      Routing = Routing(actors.Random)      // Random takes any of them, each as likely as the others.
	LeastLoaded Routing = Routing(actors.LeastLoaded) // LeastLoaded takes the one that has spent the least time serving. It looks at all of them.
)

// String returns the name, as in docs/configuration.md: "first-idle", "round-robin", "random", "least-loaded"; and the number
// of one that there is not.
func (r Routing) String() string { return actors.Routing(r).String() }
