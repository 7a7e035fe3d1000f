package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
)

// session is the actor of one connection: it admits the bursts that its reader takes in, writes the replies that have
// become ready, and leads the connection from Connected to Closed. It never blocks, and it holds nothing: everything
// stands in the connection, which its next incarnation takes over.
type session struct {
	*connection // nil before its first message
	stage       *Stage
}

// Receive implements actor.Actor.
func (s *session) Receive(ctx actor.Context) {
	if s.connection == nil {
		s.connection = s.stage.connectionOf(ctx.Self())
	}
	s.stage.seams.session.strikeOn(ctx.Message(), int(s.id))
	switch ctx.Message().(type) {
	case messages.Arrived:
		s.onArrived()
	case messages.Replied:
		s.onReplied()
	case messages.Flushed:
		s.onFlushed()
	case messages.InputEnded:
		s.onInputEnded()
	case messages.Lingered:
		s.onLingered()
	case messages.Drain:
		s.onDrain()
	case messages.Expire:
		s.onExpire()
	case *actor.Started:
		s.onStarted(ctx)
	case *actor.Stopping:
		s.onStopping()
	case *actor.Stopped:
		s.stage.forget(s.connection)
	}
}

// onStarted begins, or goes on after a crash: whatever the former incarnation was told, and may not have acted on, is
// looked at again.
func (s *session) onStarted(ctx actor.Context) {
	if s.state == Connected {
		s.startOnce(ctx.Self())
	}
	s.onArrived()
	s.onInputEnded()
	if s.drainPill {
		s.onDrain()
	}
	if s.expired.Load() || s.stage.expired.Load() {
		s.onExpire()
	}
	if s.state == Closing {
		s.startLinger()
	}
	s.onReplied()
}

func (c *connection) startOnce(self *actor.PID) {
	if c.started {
		return
	}
	c.started = true
	c.pid.Store(self)
	c.stage.seams.session.enter(int(c.id))
	if c.stage.Table.Opened == nil {
		c.startReader(0, false)
		return
	}
	c.opened = make(chan struct{})
	c.stage.Tracker.Go(func() {
		defer c.startReader(0, false)
		defer close(c.opened)
		c.hook(c.stage.Table.Opened)
	})
}

func (s *session) onArrived() {
	if s.arrival.Load() != arrivalPending {
		return
	}
	switch s.state {
	case Connected:
		s.becomeActive()
		s.admit(arrivalAdmitted)
	case Active, Draining:
		s.admit(arrivalAdmitted)
	default:
		s.admit(arrivalRefused)
	}
}

func (s *session) admit(verdict int32) {
	if verdict == arrivalAdmitted {
		s.mu.Lock()
		s.total.sessionBursts++
		s.mu.Unlock()
	}
	s.arrival.Store(verdict)
	s.nudge()
}

func (s *session) onReplied() {
	if s.woken.Load() {
		s.woken.Store(false) // before the look at the window: who has something for it from now on posts again
	}
	if quiet := s.flush(); !quiet || s.state != Active {
		s.settle()
	}
}

func (s *session) onFlushed() {
	s.flush()
	s.settle()
}

func (s *session) onInputEnded() {
	s.mu.Lock()
	how, busy := s.input, s.inflight > 0
	s.mu.Unlock()
	switch how {
	case inputOpen:
		return
	case inputFailed:
		s.fail("the socket failed")
		return
	case inputEOF:
		s.drainFor("the peer has finished")
		if busy {
			s.expireIn(s.stage.Grace)
		}
	case inputRefused:
		s.drainFor("the stream cannot be read")
	case inputTimeout:
		s.drainFor("time-out")
	case inputDrained:
		s.drainFor("drain")
	}
	s.settle()
}

// onDrain begins the orderly end: the reader takes in what has arrived already, and no more.
func (s *session) onDrain() {
	if s.state.canBecome(Draining) {
		s.becomeDraining("drain")
	}
	if s.state == Draining {
		s.order(orderDrain)
	}
	s.settle()
}

func (s *session) drainFor(cause string) {
	if s.state.canBecome(Draining) {
		s.becomeDraining(cause)
	}
}

// onExpire answers what is unanswered with UNAVAILABLE. A request that is just being encoded gets its own reply.
func (s *session) onExpire() {
	if s.state.canBecome(Draining) {
		s.becomeDraining("expired")
	}
	if s.state != Draining {
		return // everything was answered
	}
	s.order(orderStop)
	if !s.expire() {
		s.expireIn(time.Millisecond) // by then it will be encoded
	}
	s.flush()
	s.settle()
}

func (s *session) onLingered() {
	s.settle()
}

// onStopping is the end by force, or the one that settle asked for.
func (s *session) onStopping() {
	if s.state != Closed {
		s.becomeClosed(causeStopped)
	}
}

// expireIn has what is unanswered in d from now expire.
func (s *session) expireIn(d time.Duration) {
	if s.timer != nil {
		s.timer.Stop()
	}
	c := s.connection
	s.timer = time.AfterFunc(d, func() {
		c.expired.Store(true)
		c.mailbox.PostUserMessage(messages.Expire{})
	})
}

// settle makes the transitions that have become due.
func (s *session) settle() {
	if s.breakOff() {
		s.drainFor("an error, and the service has no arm to tell it in")
		s.order(orderStop)
	}
	s.mu.Lock()
	err, ended, lingered := s.writeErr, s.input != inputOpen, s.lingered
	eof := s.input == inputEOF
	answered := s.state == Draining && s.inflight == 0 && (ended || s.orders.Load() == orderStop)
	s.sealed = s.sealed || answered // in one step with the look at inflight: nothing can arrive any more, nor be pushed
	over := answered && !s.writing && (s.pushes == nil || s.pushes.n == 0)
	if s.sealed {
		s.roomForPushes()
	}
	s.mu.Unlock()
	switch {
	case s.state == Closed:
	case err != nil:
		s.fail("a write failed")
	case over:
		if eof {
			s.finish() // the peer has closed its side: there is nothing to linger for
			return
		}
		s.becomeClosing()
	case s.state == Closing && lingered:
		s.finish()
	}
}

// finish closes a connection on which everything was said, and stops its session.
func (s *session) finish() {
	s.becomeClosed(s.cause)
	s.stop()
}

// stop stops the session's own actor as Context.Stop would, without looking it up in the registry.
func (s *session) stop() { s.mailbox.PostSystemMessage(stopMessage) }

// stopMessage is what tells any session to stop; it says nothing else.
var stopMessage = new(actor.Stop)

// fail closes a connection that has failed: a failed write or a socket error, never a mere end of input, makes a
// disconnect.
func (s *session) fail(cause string) {
	if s.state == Closed {
		return
	}
	s.mu.Lock()
	if err := s.writeErr; err != nil && s.input != inputFailed {
		switch {
		case isTimeout(err):
			s.total.timeouts++
		case transport.ExpectedOnClose(err):
			s.total.peerErrors++
		default:
			s.total.socketErrors++
		}
	}
	s.mu.Unlock()
	s.becomeClosed(cause)
	s.stop()
}

func (s *session) become(to State, cause string) {
	if !s.state.canBecome(to) {
		panic(supervisor.Critical(fmt.Errorf("session %d cannot go from %s to %s", s.id, s.state, to)))
	}
	s.state, s.cause = to, cause
}

func (s *session) becomeActive() { s.become(Active, "") }

func (s *session) becomeDraining(cause string) { s.become(Draining, cause) }

// becomeClosing says to the peer that nothing more will come, and gives it a moment to close first: closing a socket with
// unread input would reset the connection, and the reset could overtake the last replies.
func (s *session) becomeClosing() {
	s.become(Closing, s.cause)
	s.startLinger()
}

// causeStopped is why a session closes that was stopped from outside, with whatever was in flight.
const causeStopped = "stopped"

// becomeClosed ends the connection. What was not answered is counted.
func (s *session) becomeClosed(cause string) {
	s.become(Closed, cause)
	if s.timer != nil {
		s.timer.Stop()
	}
	s.orders.Store(orderStop)
	s.abandon(cause == causeStopped)
	s.socket.Close()
	s.nudge()
	s.stage.leave(s.connection, s.ending())
	s.stage.seams.session.leave(int(s.id))
	if closed := s.stage.Table.Closed; closed != nil && s.started {
		c := s.connection
		c.stage.Tracker.Go(func() {
			if c.opened != nil {
				<-c.opened // what the one hook sets up, the other can take down
			}
			c.hook(closed)
		})
	}
}

func (s *session) ending() ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cut || s.total.unanswered > 0:
		return forced
	case s.drainPill:
		return drained
	default:
		return finished
	}
}

func isTimeout(err error) bool {
	_, ok := errors.AsType[*transport.TimeoutError](err)
	return ok
}
