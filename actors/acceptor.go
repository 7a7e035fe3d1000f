package actors

import (
	"strconv"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// acceptor is the actor of one listen address: it owns the listening socket, spawns a session for each connection, and
// supervises its sessions, one-for-one. If it fails itself it is resumed: its state, a socket and its children, is worth
// more than a fresh start. The accept loop, which waits for connections, is in accepting.go.
type acceptor struct {
	stage  *Stage
	loop   *acceptLoop
	number int
}

// Receive implements actor.Actor.
func (a *acceptor) Receive(ctx actor.Context) {
	a.stage.seams.acceptor.strikeOn(ctx.Message(), a.number)
	switch ctx.Message().(type) {
	case messages.Accepted:
		a.onAccepted(ctx)
	case messages.Expire:
		a.onExpire(ctx)
	case *actor.Started:
		a.onStarted(ctx)
	case *actor.Stopping:
		a.onStopping()
	case *actor.Stopped:
		a.onStopped()
	}
}

func (a *acceptor) onStarted(ctx actor.Context) {
	a.stage.seams.acceptor.enter(a.number)
	a.loop.start()
	a.onAccepted(ctx)
}

func (a *acceptor) onStopping() {
	a.stage.seams.acceptor.leave(a.number)
	a.loop.close()
}

// onAccepted gives each connection that waits a session.
func (a *acceptor) onAccepted(ctx actor.Context) {
	a.loop.woken.Store(false)
	if a.stage.expired.Load() {
		a.onExpire(ctx) // it may have crashed on being told
	}
	for {
		socket := a.loop.take()
		if socket == nil {
			return
		}
		a.spawn(ctx, socket)
	}
}

// onDrain ends the accepting. Who has connected already is let in, and drained like the others.
func (a *acceptor) onDrain(ctx actor.Context) {
	a.loop.listener.Finish()
	for socket := a.loop.await(); socket != nil; socket = a.loop.await() {
		a.spawn(ctx, socket)
	}
}

func (a *acceptor) spawn(ctx actor.Context, socket *transport.Conn) {
	c := newConnection(a.stage, socket, a.loop.framing)
	a.stage.join(c)
	c.mailbox.hold()
	a.loop.spawning = c
	if _, err := ctx.SpawnNamed(a.loop.sessions, sessionPrefix+strconv.FormatUint(c.id, 10)); err != nil {
		// The acceptor is ending.
		socket.Close()
		a.stage.leave(c, finished)
		a.stage.forget(c)
	} else {
		a.stage.Tracker.Go(c.begin)
	}
	a.loop.spawning = nil
}

// onExpire tells every session that its time is up.
func (a *acceptor) onExpire(ctx actor.Context) {
	for _, session := range ctx.Children() {
		ctx.Send(session, messages.Expire{})
	}
}

// onStopped closes the connections that came too late to get a session.
func (a *acceptor) onStopped() {
	for socket := a.loop.take(); socket != nil; socket = a.loop.take() {
		socket.Close()
		a.stage.open.Add(-1)
	}
}
