package understudy

import (
	"context"
	"errors"

	"github.com/understudy-go/understudy/actors"
)

// Session is a connection, as handlers and hooks know it: who is there, what is remembered of it, and what is said to it
// unasked. See [SessionOf].
type Session = actors.Peer

// SessionOf returns the connection that a request came in on. ctx is the context that its handler got, or was made from it;
// for any other the session is nil. It may be kept, and used on any goroutine, also after the connection is closed.
func SessionOf(ctx context.Context) *Session { return actors.PeerOf(ctx) }

// SessionKey is the name of something that is remembered of a connection, with its type. Make one with [NewSessionKey], as
// a variable of a package: two keys are different, whatever their names.
type SessionKey[T any] struct{ name string }

// NewSessionKey returns a key. The name is for people.
func NewSessionKey[T any](name string) *SessionKey[T] { return &SessionKey[T]{name} }

// String returns the name.
func (k *SessionKey[T]) String() string { return k.name }

// Get returns what was stored for s, and whether anything was. It may be called on any goroutine.
func (k *SessionKey[T]) Get(s *Session) (value T, ok bool) {
	value, ok = s.Value(k).(T)
	return value, ok
}

// Set stores a value for s, in place of the one before. It may be called on any goroutine; who reads, changes and writes a
// value sees to it that nobody else does so at the same time.
func (k *SessionKey[T]) Set(s *Session, value T) { s.SetValue(k, value) }

// Delete takes away what was stored for s.
func (k *SessionKey[T]) Delete(s *Session) { s.SetValue(k, nil) }

// OnOpened has opened called for each connection before the first request of it is read. It may block: nobody but that
// connection waits for it. One that panics is logged, and the connection goes on.
func (s *Service[Req, Resp]) OnOpened(opened func(*Session)) { s.hook("OnOpened", &s.opened, opened) }

// OnClosed has closed called for each connection after it was closed. Handlers of it may still run. It may block, but not
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
