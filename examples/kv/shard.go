package main

import (
	"fmt"
	"strconv"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/examples/kv/wire"
	"github.com/understudy-go/understudy/messages"
)

// What a shard takes.
const (
	maxKeys  = 100_000 // of one shard
	maxKey   = 1 << 10 // bytes
	maxValue = 64 << 10
)

// poison is the key that meets the bug.
const poison = "poison"

// shard is the actor that keeps the values of its share of the keys. Its map is a copy of what the journal says: an instance that
// crashes may have left the map half changed, so the map goes with it, and the next one reads the journal.
type shard struct {
	journal *journal
	values  map[string]string
}

// Receive implements actor.Actor.
func (s *shard) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.values = s.journal.values()
	case *wire.Get:
		ctx.Respond(s.onGet(m))
	case *wire.Put:
		ctx.Respond(s.onPut(m))
	case *wire.Delete:
		ctx.Respond(s.onDelete(m))
	case *wire.Increment:
		ctx.Respond(s.onIncrement(m))
	}
}

// What the methods return is an *wire.Entry, or an error.

func (s *shard) onGet(m *wire.Get) any {
	value, ok := s.find(m.GetKey())
	if !ok {
		return notFound(m.GetKey())
	}
	return &wire.Entry{Value: value}
}

func (s *shard) onPut(m *wire.Put) any {
	if _, ok := s.find(m.GetKey()); !ok && len(s.values) >= maxKeys {
		return refuse(messages.ResourceExhausted, "there are %d keys here, and no more are taken", len(s.values))
	}
	if len(m.GetKey()) > maxKey || len(m.GetValue()) > maxValue {
		return refuse(messages.InvalidArgument, "the key has %d bytes and the value %d, and they may have %d and %d",
			len(m.GetKey()), len(m.GetValue()), maxKey, maxValue)
	}
	return s.store(m.GetKey(), m.GetValue())
}

func (s *shard) onDelete(m *wire.Delete) any {
	value, ok := s.find(m.GetKey())
	if !ok {
		return notFound(m.GetKey())
	}
	s.journal.append(change{key: m.GetKey(), deleted: true})
	delete(s.values, m.GetKey())
	return &wire.Entry{Value: value}
}

func (s *shard) onIncrement(m *wire.Increment) any {
	value, ok := s.find(m.GetKey())
	if !ok {
		value = "0"
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return refuse(messages.FailedPrecondition, "the value of %q is no number", m.GetKey())
	}
	sum := n + m.GetBy()
	if (sum > n) != (m.GetBy() > 0) && m.GetBy() != 0 {
		return refuse(messages.OutOfRange, "%d + %d does not fit", n, m.GetBy())
	}
	return s.onPut(&wire.Put{Key: m.GetKey(), Value: strconv.FormatInt(sum, 10)})
}

// store writes a change down first: what the client is told is in the journal.
func (s *shard) store(key, value string) any {
	s.journal.append(change{key: key, value: value})
	s.values[key] = value
	return &wire.Entry{Value: value}
}

// find looks a value up, and has a bug of the worst kind: it spoils everything before it is noticed.
func (s *shard) find(key string) (value string, ok bool) {
	if key == poison {
		for k := range s.values {
			s.values[k] = "spoilt"
		}
		panic("a bug that only this key meets")
	}
	value, ok = s.values[key]
	return value, ok
}

func notFound(key string) error { return refuse(messages.NotFound, "there is no %q", key) }

func refuse(code messages.Code, format string, args ...any) error {
	return &messages.Status{Code: code, Message: fmt.Sprintf(format, args...)}
}
