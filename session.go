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
// methods of one that is closed do nothing, or say so. Its zero value is of no use.
type Session actors.Peer

// SessionOf returns the connection that a request came in on. ctx is the context that its handler got, or was made from it;
// for any other the session is nil.
func SessionOf(ctx context.Context) *Session { return (*Session)(actors.PeerOf(ctx)) }

func (s *Session) peer() *actors.Peer { return (*actors.Peer)(s) }

// ID is the connection's number in its server, from 1 on. No other connection of the server ever has it.
func (s *Session) ID() uint64 { return s.peer().ID() }

// RemoteAddr is where the peer is, and LocalAddr where it has connected to.
func (s *Session) RemoteAddr() net.Addr { return s.peer().RemoteAddr() }

// LocalAddr is where the peer has connected to.
func (s *Session) LocalAddr() net.Addr { return s.peer().LocalAddr() }

// Principal is who the peer has shown to be, as SetPrincipal was told; "" before that.
func (s *Session) Principal() string { return s.peer().Principal() }

// SetPrincipal notes who the peer has shown to be: for a handler that lets it log in, for middleware that asks. The server
// itself makes nothing of it.
func (s *Session) SetPrincipal(name string) { s.peer().SetPrincipal(name) }

// PID is the session's actor, which may be watched. A PoisonPill to it closes the connection as Close does.
func (s *Session) PID() *actor.PID { return s.peer().PID() }

// Close ends the connection in order: what has arrived is answered, then it is closed. It does not wait for that, and may be
// called more than once, also by a handler of the connection.
func (s *Session) Close() { s.peer().Close() }

// Push sends the peer a message unasked, in the arm of the reply envelope that has its type. It goes out before any reply
// that is not written yet. Messages pushed one after the other arrive in that order. m is not kept, nor changed.
//
// While [Config].WindowBytes of pushed messages are not written, Push waits until there is room, or ctx ends. The error is a
// *[messages.Status]: UNAVAILABLE if the connection is closed, that of ctx, INVALID_ARGUMENT if m is nil or there is no such
// arm, or several, or INTERNAL if m does not encode. A nil error says that the message was taken, not that the peer has it.
func (s *Session) Push(ctx context.Context, m proto.Message) error { return s.peer().Push(ctx, m) }

// TryPush is Push for those who must not wait, such as actors: where there is no room, the error is RESOURCE_EXHAUSTED.
func (s *Session) TryPush(m proto.Message) error { return s.peer().TryPush(m) }

// SessionKey is the name of something that is remembered of a connection, with its type. Make one with [NewSessionKey], as
// a variable of a package: two keys are different, whatever their names.
type SessionKey[T any] struct{ name string }

// NewSessionKey returns a key. The name is for people.
func NewSessionKey[T any](name string) *SessionKey[T] { return &SessionKey[T]{name} }

// String returns the name.
func (k *SessionKey[T]) String() string { return k.name }

// Get returns what was stored for s, and whether anything was. It may be called on any goroutine.
func (k *SessionKey[T]) Get(s *Session) (value T, ok bool) {
	value, ok = s.peer().Value(k).(T)
	return value, ok
}

// Set stores a value for s, in place of the one before. It may be called on any goroutine; who reads, changes and writes a
// value sees to it that nobody else does so at the same time.
func (k *SessionKey[T]) Set(s *Session, value T) { s.peer().SetValue(k, value) }

// Delete takes away what was stored for s.
func (k *SessionKey[T]) Delete(s *Session) { s.peer().SetValue(k, nil) }

// OnOpened has opened called for each connection before the first request of it is read. It may block: nobody but that
// connection waits for it. One that panics is logged, and the connection goes on.
func (s *Service[Req, Resp]) OnOpened(opened func(*Session)) { s.hook("OnOpened", &s.opened, opened) }

// OnClosed has closed called for each connection after it was closed, and what OnOpened has called for it has returned. Handlers
// of it may still run. It may block, but not
// for longer than a drain lasts: the server's end waits for it. One that panics is logged.
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
