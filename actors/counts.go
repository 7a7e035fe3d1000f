package actors

import "github.com/understudy-go/understudy/messages"

// Counts is what a server has done. Of each request that was decoded one thing becomes:
// Decoded = Answered + Dropped + Unanswered + InFlight.
type Counts struct {
	Connections int64 // open now
	Accepted    int64 // sessions begun
	Refused     int64 // connections refused, as there were too many

	Decoded    int64 // requests cut out of the streams
	Answered   int64 // replies written to a socket to their last byte, of every code
	Dropped    int64 // requests whose connection was gone before their reply was written, or that had an error and no arm to tell it in
	Unanswered int64 // requests whose connection this side closed before their reply was written: by force, or a session's budget spent
	InFlight   int64 // requests with no reply written yet

	Codes [messages.Codes]int64 // replies encoded, by code

	BytesReceived  int64 // taken from the sockets
	BytesDecoded   int64 // of these, in requests
	BytesDiscarded int64 // of these, thrown away: after a drain began, after a framing error, half a frame at the end
	BytesUnread    int64 // left in the kernel when a connection was closed
	BytesSent      int64

	Pushed     int64 // messages that were taken to be pushed
	PushesSent int64 // of these, written to a socket to their last byte; the connection of the others is gone, or they wait

	ReaderBursts  int64 // bursts that readers cut
	SessionBursts int64 // bursts that session actors admitted
	PoolBursts    int64 // bursts that the pool routed, with those that were split off others
	WorkerBursts  int64 // bursts that worker actors began
	SplitBursts   int64 // bursts made of the untouched rest of another
	QueuedBursts  int64 // bursts that waited in the pool's queue
	Rejected      int64 // requests answered RESOURCE_EXHAUSTED, as the queue was full
	Crashes       int64 // handlers that panicked
	Retried       int64 // of these, followed by another try, as the handler is idempotent
	Detached      int64 // workers whose handlers have stalled, now
	Late          int64 // results of handlers that came after their request was answered
	Timeouts      int64 // connections ended by a time-out
	PeerErrors    int64 // connections ended by an error of the socket that a peer can cause
	SocketErrors  int64 // connections ended by any other error of the socket
}

// tally is what one connection counts: what it has none of takes no memory.
type tally struct {
	decoded, answered, dropped, unanswered              int64
	ok, unavailable                                     int64 // replies that its workers have not counted
	bytesReceived, bytesDecoded, bytesUnread, bytesSent int64
	readerBursts, sessionBursts, splitBursts            int64
	timeouts, peerErrors, socketErrors                  int8 // one for the reading and one for the writing at most
}

// addTo adds it to c. It makes no Counts of its own: one is so large that the stack of a goroutine that has grown but a little
// would have to grow for it, at the end of each connection.
func (t *tally) addTo(c *Counts) {
	c.Accepted++
	c.Decoded += t.decoded
	c.Answered += t.answered
	c.Dropped += t.dropped
	c.Unanswered += t.unanswered
	c.Codes[messages.OK] += t.ok
	c.Codes[messages.Unavailable] += t.unavailable
	c.BytesReceived += t.bytesReceived
	c.BytesDecoded += t.bytesDecoded
	c.BytesUnread += t.bytesUnread
	c.BytesSent += t.bytesSent
	c.ReaderBursts += t.readerBursts
	c.SessionBursts += t.sessionBursts
	c.SplitBursts += t.splitBursts
	c.Timeouts += int64(t.timeouts)
	c.PeerErrors += int64(t.peerErrors)
	c.SocketErrors += int64(t.socketErrors)
}

// addWorkers adds what slots count.
func (c *Counts) addWorkers(o *Counts) {
	c.WorkerBursts += o.WorkerBursts
	c.PoolBursts += o.PoolBursts
	c.Crashes += o.Crashes
	for i := range c.Codes {
		c.Codes[i] += o.Codes[i]
	}
}

// ending is how a connection ended.
type ending int

const (
	finished ending = iota // by its peer, or for its peer's fault
	drained                // in a drain: all that was decoded was answered
	forced                 // in a drain, with requests answered UNAVAILABLE or not at all
)

type drainCounts struct{ drained, forced int }

func (d *drainCounts) note(how ending) {
	switch how {
	case drained:
		d.drained++
	case forced:
		d.forced++
	}
}
