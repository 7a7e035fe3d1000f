package understudy

import "github.com/understudy-go/understudy/messages"

// Counts is what a server has done since it was made: [Server.Counts], [Status], and [Report] have it. It is a snapshot, and the
// caller's own. All but Connections, InFlight, and Detached, which say what there is at the moment, only ever grow. The numbers
// of one connection are read at one moment, those of different ones and of the pool shortly after each other; what is said below
// about sums of requests holds in every snapshot, what is said about others when nothing is in flight.
type Counts struct {
	Connections int64 // connections that are open now, those included that wait for their session
	Accepted    int64 // connections that got a session
	Refused     int64 // connections that were told to come later and closed, as there were [Config].MaxConnections already

	// Decoded is how many requests were cut out of the streams, those included that turned out to be no messages of the service.
	// Of each one thing becomes: Decoded = Answered + Dropped + Unanswered + InFlight.
	Decoded int64
	// Answered is how many replies, of every code, were written to a socket to their last byte.
	Answered int64
	// Dropped is how many requests had no reply written when their connection was gone, by the doing of the peer or the network. So
	// are those counted that ended in an error for which the service's replies have no arm, and what was behind them.
	Dropped int64
	// Unanswered is how many requests had no reply written when this side closed their connection: in an end by force, when a
	// session had crashed too often, or when somebody stopped its actor. [Server.Serve] returns [ErrUnanswered] if there are any.
	Unanswered int64
	// InFlight is how many requests have no reply written at the moment, and may yet get one.
	InFlight int64

	// Codes is how many replies were encoded, by the number of their code: Codes[messages.OK] are those without an error. A reply
	// that is encoded need not be written yet, nor ever: its connection may be gone.
	Codes [messages.Codes]int64

	// BytesReceived is how many bytes were taken from sockets. BytesReceived = BytesDecoded + BytesDiscarded when the last
	// connection is closed; before that it is larger by what is in neither yet: requests that are not complete, and what is just
	// being thrown away.
	BytesReceived int64
	// BytesDecoded is how many of these were in requests, with their framing.
	BytesDecoded int64
	// BytesDiscarded is how many of these were thrown away: what came after a drain began or after an error of the framing, and
	// half a request at the end. It is known when a connection is closed.
	BytesDiscarded int64
	// BytesUnread is how many bytes more lay in the kernel, as far as it can tell, when connections were closed by this side.
	BytesUnread int64
	// BytesSent is how many bytes of replies and of pushed messages were written to sockets.
	BytesSent int64

	Pushed     int64 // messages that Push and TryPush took
	PushesSent int64 // of these, those written to a socket to their last byte; the others wait, or their connection is gone

	// ReaderBursts is how many bursts were read: what one read of a connection brings is one burst of requests. This and the next
	// four are for a look into the server; what follows from what depends on the service.
	ReaderBursts  int64
	SessionBursts int64 // of these, those that their session admitted: all, but for connections that were just being closed
	PoolBursts    int64 // bursts that went to a worker, or had waited for one and were too late
	WorkerBursts  int64 // bursts that workers began
	SplitBursts   int64 // bursts cut off another one: a handler had stalled or crashed, or several workers serve it
	QueuedBursts  int64 // bursts that waited for a worker or for their key's turn, again if they were given back

	Rejected int64 // requests answered RESOURCE_EXHAUSTED, as [Config].Queue requests waited already
	Crashes  int64 // calls of handlers that panicked or ended their goroutine, each try counted; what actors do is not
	Retried  int64 // of these, those after which the request was tried again, as the handler is [Idempotent]
	Detached int64 // handlers that have stalled and have not returned, at the moment
	Late     int64 // what handlers returned, and actors responded, when the request had its reply already

	// Timeouts, PeerErrors, and SocketErrors are how many connections were ended by a time-out of the [Config], by an error of
	// the socket that a peer or the network can cause, such as a reset, and by any other. A connection may count for its reading
	// and for its writing, at most once each.
	Timeouts, PeerErrors, SocketErrors int64
}

// Counts returns what the server has done so far, and when it has ended what it had done. It may be called on any goroutine, costs
// a few microseconds for each hundred connections, and waits for nothing but short locks.
func (s *Server) Counts() Counts { return Counts(s.stage.Counts()) }
