package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
)

// worker is an actor that serves bursts: one that was handed to it while it was idle, on the reader's goroutine, or those
// of the pool's queue, on its own. How it serves a burst is in serve.go.
type worker struct {
	*slot
	stage *Stage
	spare []*Loan // of handlers that borrow, by their index; those that are lent are nil
}

func newWorker(s *slot, st *Stage) *worker {
	return &worker{slot: s, stage: st, spare: make([]*Loan, st.Table.count)}
}

// Receive implements actor.Actor.
func (w *worker) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *Burst:
		w.onBurst(ctx, m)
	case messages.Pull:
		w.onPull(ctx)
	case *actor.Started:
		w.onStarted(ctx)
	case *actor.Restarting, *actor.Stopping:
		w.onGone()
	}
}

func (w *worker) onStarted(ctx actor.Context) {
	w.pid.Store(ctx.Self())
	w.served.Store(false)
	w.stage.seams.worker.enter(w.number)
	w.alive.Store(true) // it is offered when its mailbox comes to rest
}

func (w *worker) onGone() {
	w.alive.Store(false)
	w.stage.seams.worker.leave(w.number)
	if !w.givenUp.Load() { // else its place in the idle set is its successor's
		w.router.idle.withdraw(w.index)
	}
}

func (w *worker) onBurst(ctx actor.Context, b *Burst) {
	b.taken = true
	w.serve(ctx, b)
	w.endIfGivenUp(ctx)
}

// endIfGivenUp stops a worker that has come back after the pool had gone on without it.
func (w *worker) endIfGivenUp(ctx actor.Context) {
	if w.givenUp.Load() {
		ctx.Stop(ctx.Self())
	}
}

func (w *worker) onPull(ctx actor.Context) {
	for b := w.router.next(); b != nil; b = w.router.next() {
		went := w.serve(ctx, b)
		w.stage.reads.Put(b.spare())
		if !went {
			return
		}
		b.recycle()
		if w.givenUp.Load() || w.mailbox.urgent.Load() > 0 {
			break // a Stop does not wait for the queue to be empty; a worker that goes on looks at the queue again
		}
	}
	w.endIfGivenUp(ctx)
}
