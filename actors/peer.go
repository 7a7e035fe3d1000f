package actors

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// Peer is a connection as handlers and hooks know it. Its methods may be called on any goroutine, and at any time: those of
// one that is closed do nothing, or say so.
type Peer struct {
	c *connection

	mu    sync.Mutex
	notes *notes // nil if there never was one
}

// notes is what was noted of a peer.
type notes struct {
	values    map[any]any
	principal string
}

// noted returns the notes to write to. The caller holds mu.
func (p *Peer) noted() *notes {
	if p.notes == nil {
		p.notes = new(notes)
	}
	return p.notes
}

// peerKey is the key of a request's context whose value is its connection's Peer.
type peerKey struct{}

// PeerOf returns the connection that a request came in on: ctx is, or was made from, the context that its handler got.
// It is nil for any other.
func PeerOf(ctx context.Context) *Peer {
	p, _ := ctx.Value(peerKey{}).(*Peer)
	return p
}

// ID is the connection's number in its server, from 1 on. No other connection of the server ever has it.
func (p *Peer) ID() uint64 { return p.c.id }

// RemoteAddr is where the peer is.
func (p *Peer) RemoteAddr() net.Addr { return p.c.socket.RemoteAddr() }

// LocalAddr is where it has connected to.
func (p *Peer) LocalAddr() net.Addr { return p.c.socket.LocalAddr() }

// Principal is who the peer has shown to be, as SetPrincipal was told.
func (p *Peer) Principal() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.notes == nil {
		return ""
	}
	return p.notes.principal
}

// SetPrincipal notes who the peer has shown to be.
func (p *Peer) SetPrincipal(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noted().principal = name
}

// PID is the session's actor, which may be watched. A PoisonPill to it closes the connection as Close does.
func (p *Peer) PID() *actor.PID { return p.c.pid.Load() }

// Close ends the connection in order: what has arrived is answered, then it is closed. It does not wait for that.
func (p *Peer) Close() { p.c.mailbox.PostUserMessage(messages.Drain{}) }

// Push sends the peer a message unasked, in the arm of the reply envelope that has its type. It goes out before any reply
// that is not written yet. Messages pushed one after the other arrive in that order.
//
// While the connection's WindowBytes of pushed messages are not written, Push waits until there is room, or ctx ends. The error is a
// *messages.Status: UNAVAILABLE if the connection is closed, that of ctx, or INVALID_ARGUMENT if there is no such arm, or several.
// A nil error says that the message was taken, not that the peer has it.
func (p *Peer) Push(ctx context.Context, m proto.Message) error {
	arm, err := p.c.stage.Table.armOf(m)
	if err != nil {
		return err
	}
	return p.c.push(ctx, true, arm, m)
}

// TryPush is Push for those who must not wait, such as actors: where there is no room, it returns RESOURCE_EXHAUSTED.
func (p *Peer) TryPush(m proto.Message) error {
	arm, err := p.c.stage.Table.armOf(m)
	if err != nil {
		return err
	}
	return p.c.push(context.Background(), false, arm, m)
}

// Value returns what SetValue has stored for the key, or nil.
func (p *Peer) Value(key any) any {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.notes == nil {
		return nil
	}
	return p.notes.values[key]
}

// SetValue stores a value for the key, until the connection is forgotten. A nil value takes it away.
func (p *Peer) SetValue(key, value any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.noted()
	switch {
	case value == nil:
		delete(n.values, key)
	case n.values == nil:
		n.values = map[any]any{key: value}
	default:
		n.values[key] = value
	}
}

// armOf finds the arm in which a message is pushed.
func (t *Table) armOf(m proto.Message) (*messages.Arm, error) {
	if m == nil || !m.ProtoReflect().IsValid() {
		return nil, &messages.Status{Code: messages.InvalidArgument, Op: "push", Message: "the message is nil", NotStarted: true}
	}
	name := m.ProtoReflect().Descriptor().FullName()
	arms := t.Replies.ArmsOf(name)
	if len(arms) == 1 {
		return arms[0], nil
	}
	return nil, &messages.Status{
		Code: messages.InvalidArgument, Op: "push", NotStarted: true,
		Message: fmt.Sprintf("envelope %s has %d arms of type %s, and must have one", t.Replies.Name(), len(arms), name),
	}
}
