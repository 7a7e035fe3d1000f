package actors

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// acceptBacklog is how many accepted connections may wait for their acceptor. While as many wait, accepting pauses, and
// the kernel's backlog fills.
const acceptBacklog = 128

// acceptLoop is the goroutine that waits in accept for an acceptor, and the connections on their way to it.
type acceptLoop struct {
	stage    *Stage
	listener *transport.Listener
	framing  transport.Framing
	mailbox  *Mailbox
	sessions *actor.Props // of all that the acceptor spawns
	spawning *connection  // whose session it is just spawning; used by the acceptor only
	woken    atomic.Bool  // an Accepted is in the mailbox

	mu      sync.Mutex
	room    sync.Cond
	begun   bool
	closed  bool
	ended   bool      // the goroutine has
	come    sync.Cond // a connection waits, or none will come any more
	waiting []*transport.Conn
}

func newAcceptLoop(st *Stage, l *transport.Listener) *acceptLoop {
	a := &acceptLoop{stage: st, listener: l, framing: l.URL().Framing, mailbox: &Mailbox{EndsInline: true}}
	a.sessions = newSessionProps(st, &a.spawning)
	a.room.L, a.come.L = &a.mu, &a.mu
	return a
}

// start starts the loop, once.
func (a *acceptLoop) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.begun || a.closed {
		return
	}
	a.begun = true
	a.stage.Tracker.Go(a.run)
}

func (a *acceptLoop) run() {
	defer a.end()
	for {
		socket, err := a.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				a.stage.acceptFailed(a.listener.URL().String(), err)
			}
			return
		}
		switch {
		case !a.stage.admit():
			a.stage.refuse(socket, a.listener.URL().Framing)
		case !a.put(socket):
			socket.Close()
			a.stage.open.Add(-1)
		default:
			a.wake()
		}
	}
}

// put has a connection wait for the acceptor; it waits itself while too many do. It is false once the loop is closed.
func (a *acceptLoop) put(socket *transport.Conn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.waiting) >= acceptBacklog && !a.closed {
		a.room.Wait()
	}
	if a.closed {
		return false
	}
	a.waiting = append(a.waiting, socket)
	a.come.Signal()
	return true
}

// end notes that no more connections will come.
func (a *acceptLoop) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	a.come.Broadcast()
}

// await is take for the time after the listener was told to finish: it waits for the connections that are still to come,
// and returns nil after the last.
func (a *acceptLoop) await() *transport.Conn {
	a.mu.Lock()
	for len(a.waiting) == 0 && a.begun && !a.ended {
		a.come.Wait()
	}
	a.mu.Unlock()
	return a.take()
}

// take returns the connection that has waited longest, or nil.
func (a *acceptLoop) take() *transport.Conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) == 0 {
		a.waiting = nil
		return nil
	}
	socket := a.waiting[0]
	a.waiting[0] = nil
	a.waiting = a.waiting[1:]
	a.room.Signal()
	return socket
}

func (a *acceptLoop) wake() {
	if !a.mailbox.TryRun(messages.Accepted{}) {
		a.wakeLater()
	}
}

func (a *acceptLoop) wakeLater() {
	if a.woken.CompareAndSwap(false, true) {
		a.mailbox.PostUserMessage(messages.Accepted{})
	}
}

// close stops accepting. Connections that wait already keep their place.
func (a *acceptLoop) close() {
	a.mu.Lock()
	a.closed = true
	a.room.Broadcast()
	a.mu.Unlock()
	a.listener.Close()
}
