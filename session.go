package understudy

import (
	"context"
	"errors"
	"net"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/actors"
	"google.golang.org/protobuf/proto"
)

// Session is a connection, as handlers and hooks know it: who is there, what is remembered of it, and what is said to it
// unasked. Get it with [SessionOf], or in a hook. It may be kept, compared, and used on any goroutine at any time: the
// methods of one that is closed do nothing, or say so. Its zero value is of no use, and so is nil, which [SessionOf] may return.
// Whoever keeps one keeps what is remembered of it.
type Session actors.Peer

// SessionOf returns the connection that a request came in on, the same pointer for each of them. ctx is the context that its handler
// got, or middleware, or [ContextOf] returned, or was made from it; for any other the session is nil. A handler that is
// [Borrowing] gives the context back, but may keep the session.
func SessionOf(ctx context.Context) *Session { return (*Session)(actors.PeerOf(ctx)) }

func (s *Session) peer() *actors.Peer { return (*actors.Peer)(s) }

// ID is the connection's number in its server, from 1 on. No other connection of the server ever has it.
func (s *Session) ID() uint64 { return s.peer().ID() }

// RemoteAddr is where the peer is. Of a Unix socket it mostly has no name. It stays as it is when the connection is closed.
func (s *Session) RemoteAddr() net.Addr { return s.peer().RemoteAddr() }

// LocalAddr is where the peer has connected to: which of [Config].Listen, and at which address of this machine.
func (s *Session) LocalAddr() net.Addr { return s.peer().LocalAddr() }

// Principal is who the peer has shown to be, as SetPrincipal was told; "" before that.
func (s *Session) Principal() string { return s.peer().Principal() }

// SetPrincipal notes who the peer has shown to be: for a handler that lets it log in, for middleware that asks. The server
// itself makes nothing of it. "" is nobody. A later call replaces it; requests that are being handled see it at once.
func (s *Session) SetPrincipal(name string) { s.peer().SetPrincipal(name) }

// PID is the session's actor, in [Server.System], which may be watched. A PoisonPill to it closes the connection as Close does. It
// must not be changed.
func (s *Session) PID() *actor.PID { return s.peer().PID() }

// Close ends the connection in order: what has arrived is answered, then it is closed. It does not wait for that, and may be
// called more than once, also by a handler of the connection.
func (s *Session) Close() { s.peer().Close() }

// Push sends the peer a message unasked, in the arm of the reply envelope that has its type. It goes out before any reply
// that is not written yet. Messages pushed one after the other arrive in that order. m is not kept, nor changed.
//
// While [Config].WindowBytes of pushed messages are not written, Push waits until there is room, or ctx ends. The error is a
// *[messages.Status]: UNAVAILABLE if the connection is closed, or ends and has answered everything, CANCELLED or DEADLINE_EXCEEDED if ctx
// has ended, INVALID_ARGUMENT if m is nil or there is no such arm, or several, or INTERNAL if m does not encode. Where there is
// room ctx is not looked at. A nil error says that the message was taken, not that the peer has it.
func (s *Session) Push(ctx context.Context, m proto.Message) error { return s.peer().Push(ctx, m) }

// TryPush is Push for those who must not wait, such as actors: where there is no room, the error is RESOURCE_EXHAUSTED, with a
// RetryAfter, and the message is not taken. Its other errors are those of Push.
func (s *Session) TryPush(m proto.Message) error { return s.peer().TryPush(m) }

// SessionKey is the name of something that is remembered of a connection, with its type. Make one with [NewSessionKey], as
// a variable of a package: two keys are different, whatever their names.
type SessionKey[T any] struct{ name string }

// NewSessionKey returns a key that is like no other. The name is for people, and may be empty.
func NewSessionKey[T any](name string) *SessionKey[T] { return &SessionKey[T]{name} }

// String returns the name that NewSessionKey was given.
func (k *SessionKey[T]) String() string { return k.name }

// Get returns what was stored for s, and whether anything was; the zero value if not. It may be called on any goroutine, also when s
// is closed. s must not be nil.
func (k *SessionKey[T]) Get(s *Session) (value T, ok bool) {
	value, ok = s.peer().Value(k).(T)
	return value, ok
}

// Set stores a value for s, in place of the one before. It may be called on any goroutine; who reads, changes and writes a
// value sees to it that nobody else does so at the same time. The value lives as long as s does; what it holds besides memory is
// for [Service.OnClosed] to give back. To store a nil of an interface type is to delete.
func (k *SessionKey[T]) Set(s *Session, value T) { s.peer().SetValue(k, value) }

// Delete takes away what was stored for s, if anything was. It may be called on any goroutine.
func (k *SessionKey[T]) Delete(s *Session) { s.peer().SetValue(k, nil) }

// OnOpened has opened called for each connection before the first request of it is read, on a goroutine of the connection's own. It
// may block: nobody but that connection, and the server's end, waits for it. One that panics is logged, and the connection goes
// on. Connections over [Config].MaxConnections are not told of. A nil function, and a second call, are reported by [New].
func (s *Service[Req, Resp]) OnOpened(opened func(*Session)) { s.hook("OnOpened", &s.opened, opened) }

// OnClosed has closed called once for each connection after it was closed, and what OnOpened has called for it has returned, on a
// goroutine of its own. Handlers of the connection may still run. It may block, but not for longer than a drain lasts: the
// server's end waits for it. One that panics is logged. A nil function, and a second call, are reported by [New].
func (s *Service[Req, Resp]) OnClosed(closed func(*Session)) { s.hook("OnClosed", &s.closed, closed) }

func (s *Service[Req, Resp]) hook(name string, field *func(*Session), f func(*Session)) {
	switch {
	case f == nil:
		s.fail(errors.New("service: " + name + " is given a nil function"))
	case *field != nil:
		s.fail(errors.New("service: " + name + " is called twice"))
	}
	*field = f
}

// ofPeer has a hook called as the actors do.
func ofPeer(f func(*Session)) func(*actors.Peer) {
	if f == nil {
		return nil
	}
	return func(p *actors.Peer) { f((*Session)(p)) }
}
