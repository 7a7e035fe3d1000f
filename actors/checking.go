package actors

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"weak"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"google.golang.org/protobuf/proto"
)

// With CheckBorrowed, what is lent is looked at. Each call gets a message and a context of its own, made from a copy of the
// request, so that nothing else suffers by what the handler does with them. When it returns,
//
//   - the message must be equal to what it was, and the copy be as it was: else the handler has written to it, and the request is
//     answered INTERNAL, with an incident that names the handler;
//   - once the reply is encoded, the copy is overwritten and the message emptied, and the context ends: who has kept them
//     finds nothing useful at once, and a handler that reads on another goroutine is a data race that Go's detector sees;
//   - when the garbage collector has run twice, the message and the context must be gone: else somebody keeps them, which is
//     published, once for each handler.

// checking is what was lent in one checked call.
type checking struct {
	handler *Handler
	loan    *Loan
	copied  []byte // what in aliases
	ctx     *requestContext
}

// poison is what a borrowed message's bytes are overwritten with: no UTF-8, and no field of a message.
const poison = 0xDB

// callChecked has a request handled by a handler that borrows, and looks at what it does.
func (r *run) callChecked(c *call) (proto.Message, error) {
	b := r.burst
	h := c.handler
	k := &checking{handler: h, copied: bytes.Clone(c.inner), ctx: &requestContext{conn: b.ctx.conn, deadline: b.ctx.deadline}}
	k.loan = h.Lend()
	if err := k.loan.Decode(k.copied); err != nil {
		return nil, c.undecodable(err)
	}
	before := proto.Clone(k.loan.In) // its strings alias the copy, which is compared itself
	r.checking = k
	reply, err := c.take(r.context(k.ctx, c), k.loan.In)
	if !proto.Equal(before, k.loan.In) || !bytes.Equal(k.copied, c.inner) {
		return nil, &messages.Status{
			Code: messages.Internal, Op: h.Name, Message: "the handler broke a rule of the server",
			Cause: fmt.Errorf("the handler of %s has written to a message that it had borrowed", h.Name),
		}
	}
	return reply, err
}

// endChecking takes back what was lent, once the reply is encoded.
func (r *run) endChecking() {
	k := r.checking
	r.checking = nil
	k.ctx.end()
	for i := range k.copied {
		k.copied[i] = poison
	}
	k.loan.Reset()
	ctx := weak.Make(k.ctx)
	r.worker.stage.lendings.note(k.handler, k.loan.Watch(), func() bool { return ctx.Value() != nil })
	r.worker.stage.checkLendings()
}

// lendings are what was lent last, to be looked at when the garbage collector has run twice. The zero value is ready.
type lendings struct {
	mu   sync.Mutex
	ring [128]lending
	n    int // of these are in use
}

type lending struct {
	handler      *Handler
	message, ctx func() bool // whether it is still reachable
	cycle        uint64      // of the garbage collector, when it was given back
}

// note adds one. While there is no room, those that come are not looked at: it is a sample then.
func (l *lendings) note(h *Handler, message, ctx func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == len(l.ring) {
		return
	}
	l.ring[l.n] = lending{handler: h, message: message, ctx: ctx, cycle: collections()}
	l.n++
}

// due takes out those that are to be looked at.
func (l *lendings) due() []lending {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == 0 {
		return nil
	}
	now, all := collections(), l.ring[:l.n]
	var due []lending
	l.n = 0
	for _, one := range all {
		if one.cycle+2 <= now {
			due = append(due, one)
		} else {
			l.ring[l.n] = one
			l.n++
		}
	}
	clear(l.ring[l.n:])
	return due
}

// checkLendings publishes who keeps what.
func (s *Stage) checkLendings() {
	for _, one := range s.lendings.due() {
		what := ""
		switch {
		case one.message():
			what = "message"
		case one.ctx():
			what = "context"
		}
		if what == "" || one.handler.kept.Swap(true) {
			continue
		}
		s.Hub.Publish(supervisor.Event{
			Kind: supervisor.Failed, Path: s.root + "/pool", Directive: supervisor.Resume,
			Failure: &supervisor.Failure{
				Value:   fmt.Errorf("the handler of %s keeps a %s that it had borrowed", one.handler.Name, what),
				Message: "a request", Phase: supervisor.PhaseReceive, Incident: supervisor.NewIncident(),
			},
		})
	}
}

// CheckLastLendings does so at the server's end, when nobody is to keep anything.
func (s *Stage) CheckLastLendings() {
	if !s.CheckBorrowed {
		return
	}
	runtime.GC()
	runtime.GC()
	s.checkLendings()
}

// collections returns how often the garbage collector has run.
func collections() uint64 {
	sample := [1]metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(sample[:])
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
