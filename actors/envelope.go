package actors

import (
	"context"

	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

// envelopeContext is the context of one request of a service whose envelope has fields outside the oneof: it knows them.
type envelopeContext struct {
	context.Context
	requests *messages.Envelope
	ids      *messages.IDField // nil if there is none
	id       uint64
	whole    proto.Message // nil if the envelope has no such field but the id
}

// envelopeKey is the key of a request's context whose value is its envelope.
type envelopeKey struct{}

// Value returns the envelope, or what the burst's context says.
func (c *envelopeContext) Value(key any) any {
	if key != (envelopeKey{}) {
		return c.Context.Value(key)
	}
	if c.whole != nil {
		return c.whole
	}
	m := c.requests.New()
	if c.ids != nil {
		c.ids.Set(m, c.id)
	}
	return m
}

// EnvelopeOf returns the envelope of the request that ctx is, or was made from, the context of; nil if ctx is none, or the
// service's envelope has no field outside the oneof. Its oneof may be empty.
func EnvelopeOf(ctx context.Context) proto.Message {
	m, _ := ctx.Value(envelopeKey{}).(proto.Message)
	return m
}

// context returns the context of request k, which is made of the burst's.
func (r *run) context(ctx *requestContext, c *call) context.Context {
	return r.worker.stage.Table.context(ctx, r.burst, r.k, c)
}

// context is that, for request k of b. It keeps nothing of the burst.
func (t *Table) context(ctx *requestContext, b *Burst, k int, c *call) context.Context {
	if !t.outside {
		return ctx
	}
	return &envelopeContext{ctx, t.Requests, t.RequestID, b.id(k), c.whole}
}
