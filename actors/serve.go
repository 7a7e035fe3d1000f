package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"google.golang.org/protobuf/proto"
)

// serve answers the requests of a burst in order. It is false if a handler crashed: then that request was answered, the
// untouched ones went back to the pool, and the worker has failed.
func (w *worker) serve(ctx actor.Context, b *Burst) bool {
	if !b.begin() {
		return true // it was answered while it waited
	}
	w.enter(b)
	if b.out == nil {
		b.out = w.stage.writes.Get()
	}
	r := run{worker: w, burst: b, encoder: b.origin.encoder()}
	defer r.end(ctx)
	for r.k < b.size() {
		if !r.step() {
			w.router.late.Add(1)
			r.over = true
			return true
		}
	}
	r.over = true
	r.complete()
	return true
}

// run is one burst being served.
type run struct {
	worker  *worker
	burst   *Burst
	encoder encoder
	k       int  // the request that is being served
	mark    int  // where its reply begins
	over    bool // every request was answered, or the burst is not ours any more
}

// step serves request k. It is false if the request was seized meanwhile: then nothing of the burst may be touched.
func (r *run) step() bool {
	b, w := r.burst, r.worker
	r.mark = len(b.out)
	frame, refused := b.frame(r.k)
	var h *Handler
	var reply proto.Message
	var err error
	switch {
	case refused:
		err = b.refusal
	case !time.Now().Before(b.deadline):
		err = &messages.Status{Code: messages.DeadlineExceeded, Message: "the deadline passed before the request was begun", NotStarted: true}
	default:
		if b.ctx == nil {
			b.ctx = b.origin.newContext(b.deadline)
		}
		if seam := w.stage.Seam; seam != nil {
			seam.Strike("worker", w.index+1)
		}
		h, reply, err = w.stage.Table.call(b.ctx, frame)
	}
	if !b.handled(r.k) {
		return false
	}
	if err == nil {
		if b.out, err = r.encoder.reply(b.out, h.Reply, reply); err != nil {
			err = &messages.Status{Code: messages.Internal, Op: h.Name, Message: "the reply does not encode", IncidentID: supervisor.NewIncident(), Cause: err}
		}
	}
	r.answered(err)
	return true
}

// answered ends request k, with an error reply if err is not nil.
func (r *run) answered(err error) {
	b, w := r.burst, r.worker
	if err == nil {
		w.codes[messages.OK].Add(1)
	} else {
		s := messages.StatusOf(err)
		b.out = r.encoder.status(b.out, s)
		w.codes[codeIndex(s.Code)].Add(1)
	}
	w.served.Add(1)
	k := r.k
	r.k++
	b.encoded(k)
}

func codeIndex(c messages.Code) int {
	if c <= messages.OK || c >= messages.Codes {
		return int(messages.Unknown)
	}
	return int(c)
}

// end runs when serve ends, in whatever way: a panic and a runtime.Goexit in a handler end up here.
func (r *run) end(ctx actor.Context) {
	if r.over {
		r.worker.exit()
		return
	}
	failure := supervisor.NewFailure(recover(), r.burst)
	if failure.Value == nil {
		failure.Value, failure.Goexit = supervisor.ErrGoexit, true
	}
	r.crashed(failure)
	r.worker.exit()
	ctx.(actor.Supervisor).EscalateFailure(failure, ctx.Message())
}

// crashed answers the request whose handler crashed, and gives those behind it back to the pool.
func (r *run) crashed(f *supervisor.Failure) {
	b, w := r.burst, r.worker
	w.crashes.Add(1)
	b.crashed = true
	if !b.handled(r.k) {
		if p, _ := b.at(); p != encoding {
			return // it was answered already
		}
		b.out = b.out[:r.mark] // the crash was in encoding the reply
	}
	if r.k+1 < b.size() {
		w.router.requeue(b.origin.split(b, r.k+1))
	}
	b.out = r.encoder.status(b.out, &messages.Status{
		Code: messages.Internal, Message: "the handler crashed", IncidentID: f.Incident,
	})
	w.codes[messages.Internal].Add(1)
	b.answered++
	b.cursor.Store(b.cursorOf(done, r.k+1))
	r.complete()
}

func (r *run) complete() {
	if ctx := r.burst.ctx; ctx != nil {
		ctx.end()
	}
	r.burst.origin.complete(r.burst)
}
