package actors

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/proto"
)

// A stage of the request path, by itself: run takes one burst through it.
type pathStage struct {
	name     string
	requests int
	allocs   float64 // a burst, at most
	make     func(testing.TB, int) (run func())
}

// pathStages are the stages of this package and what each may allocate. (Reading and writing stand in package transport, the
// codec in package messages, and the path as a whole in package understudy.) Handlers that own their messages cost two
// objects a request, the message and its string, and a context a burst.
var pathStages = []pathStage{
	{"envelope", 128, 0, findStage},
	{"claim", 1, 0, claimStage},
	{"inline", 1, 0, tryRunStage},
	{"serve borrowing", 1, 0, serveStage(true)},
	{"serve borrowing", 16, 0, serveStage(true)},
	{"serve borrowing", 128, 0, serveStage(true)},
	{"serve owning", 1, 2 + 1, serveStage(false)},
	{"serve owning", 128, 2*128 + 1, serveStage(false)},

	{"encode", 128, 0, encodeStage},
	{"window", 128, 0, windowStage},
	{"outbox", 128, 0, outboxStage},
}

// TestStageAllocations fails if a stage allocates more than is recorded above.
func TestStageAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has pools drop what they are given, and allocates itself")
	}
	for _, s := range pathStages {
		run := s.make(t, s.requests)
		for range 10 {
			run() // what is allocated once
		}
		if n := testing.AllocsPerRun(200, run); n > s.allocs {
			t.Errorf("%s, %d requests: %v allocations a burst, and %v are recorded", s.name, s.requests, n, s.allocs)
		}
	}
}

func BenchmarkStages(b *testing.B) {
	for _, s := range pathStages {
		b.Run(fmt.Sprintf("%s/%d", s.name, s.requests), func(b *testing.B) {
			run := s.make(b, s.requests)
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*s.requests), "ns/request")
		})
	}
}

// echoes returns n encoded requests and where each lies.
func echoes(n int) (buf []byte, frames []transport.Frame) {
	m, err := proto.Marshal(&messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{
		EchoMessage: &messages.EchoMessage{Content: "thirty-two bytes of an echo text"},
	}})
	if err != nil {
		panic(err)
	}
	for range n {
		buf = transport.Delimited.AppendHeader(buf, len(m))
		frames = append(frames, transport.Frame{Start: len(buf), End: len(buf) + len(m)})
		buf = append(buf, m...)
	}
	return buf, frames
}

// echoStage is a stage whose one handler echoes.
func echoStage(tb testing.TB, borrowing bool) *Stage {
	table := echoTable(tb)
	h := &Handler{
		Name: "echo_message", Reply: table.Replies.Arm(1),
		Decode: func(b []byte) (proto.Message, error) {
			m := new(messages.EchoMessage)
			return m, m.UnmarshalVT(b)
		},
		Take: func(_ context.Context, in proto.Message) (proto.Message, error) { return in, nil },
	}
	if borrowing {
		h.Lend = func() *Loan {
			m := new(messages.EchoMessage)
			return &Loan{In: m, Decode: messages.Borrower(m).UnmarshalVTUnsafe, Reset: messages.Resetter(m), Strict: m}
		}
	}
	if err := table.Add(1, h); err != nil {
		tb.Fatal(err)
	}
	st := NewStage(context.Background(), Settings{
		Workers: 2, MaxWorkers: 2, Queue: 1000, Window: 1000, WindowBytes: 1 << 20, MaxFrame: 1 << 20, ReadBuffer: 64 << 10, WriteBuffer: 64 << 10,
		MaxDetached: 1, Deadline: time.Hour, Stall: time.Hour,
	}, table, nil, supervisor.NewHub())
	tb.Cleanup(func() {
		st.force()
		if err := st.Tracker.Wait(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return st
}

// sink is an origin that throws the replies away.
type sink struct {
	origin
	stage *Stage
}

func (s *sink) encoder() *encoder { return s.stage.encoders[transport.Delimited.Name()] }

func (s *sink) readOn()           {}
func (s *sink) complete(b *Burst) { s.stage.writes.Put(b.out) }

// serveStage is a worker's part: find, decode, handle, encode.
func serveStage(borrowing bool) func(testing.TB, int) func() {
	return func(tb testing.TB, n int) func() {
		st := echoStage(tb, borrowing)
		w := newWorker(newSlot(st.router, 0, 1, "worker-1"), st)
		c := &connection{stage: st}
		o := &sink{stage: st}
		buf, frames := echoes(n)
		return func() {
			b := newBurst(o)
			b.buf, b.frames = buf, append(b.frames, frames...)
			b.inline, b.ready = true, st.router.clock()
			b.deadline = st.router.time(b.ready).Add(time.Hour)
			b.newContext(c)
			w.serve(nil, b)
			b.recycle()
		}
	}
}

// findStage finds each request's handler.
func findStage(tb testing.TB, n int) func() {
	table := echoStage(tb, true).Table
	buf, frames := echoes(n)
	var c call
	return func() {
		for _, f := range frames {
			if err := table.find(&c, buf[f.Start:f.End]); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// claimStage takes an idle worker and offers it again.
func claimStage(testing.TB, int) func() {
	idle := newIdleSet(64)
	idle.offer(17)
	return func() { idle.offer(idle.claim()) }
}

// tryRunStage runs a message on an actor at rest, through Proto.Actor and the guard's like.
func tryRunStage(tb testing.TB, _ int) func() {
	mailbox := &Mailbox{OnIdle: func() {}}
	r := spawnRig(tb, mailbox, true, nil)
	for mailbox.status.Load() != resting {
		runtime.Gosched()
	}
	var message any = func() {}
	return func() {
		if !r.mailbox.TryRun(message) {
			tb.Fatal("not at rest")
		}
	}
}

// encodeStage appends a reply for each request.
func encodeStage(tb testing.TB, n int) func() {
	table := echoTable(tb)
	e := newEncoder(table, transport.Delimited, nil)
	arm, m := table.Replies.Arm(1), &messages.EchoMessage{Content: "thirty-two bytes of an echo text"}
	out := make([]byte, 0, 64<<10)
	return func() {
		out = out[:0]
		for range n {
			var err error
			if out, err = e.reply(out, 0, arm, m); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// windowStage has a burst's segment enter the window and leave it.
func windowStage(tb testing.TB, n int) func() {
	var w window
	burst, out := new(Burst), make([]byte, 32)
	return func() {
		w.complete(w.append(burst, n, 16), out)
		if _, _, ok := w.release(); !ok {
			tb.Fatal("nothing released")
		}
	}
}

// outboxStage has a burst's replies written.
func outboxStage(tb testing.TB, n int) func() {
	o := outbox{merge: 4096, recycle: func([]byte) {}}
	buf := make([]byte, 64, 4096)
	return func() {
		o.push(buf, content{replies: n})
		o.advance(len(o.front()))
		if written, _ := o.collect(); written.replies != n {
			tb.Fatal("not collected")
		}
	}
}
