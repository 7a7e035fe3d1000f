package actors

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/proto"
)

// What a crash leaves of a burst is served by the next idle worker on the same goroutine: when submit returns, all replies
// are there. The read buffer comes back.
func TestCrashLeavesTheRest(t *testing.T) {
	for _, borrowing := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			table := echoTable(t)
			h := &Handler{
				Name: "echo_message", Reply: table.Replies.Arm(1),
				Decode: func(b []byte) (proto.Message, error) {
					m := new(messages.EchoMessage)
					return m, m.UnmarshalVT(b)
				},
				Take: func(_ context.Context, in proto.Message) (proto.Message, error) {
					if in.(*messages.EchoMessage).Content == "crash" {
						panic("as it was told to")
					}
					return in, nil
				},
			}
			if borrowing {
				h.Lend = func() *Loan {
					m := new(messages.EchoMessage)
					return &Loan{In: m, Decode: m.UnmarshalVTUnsafe, Reset: messages.Resetter(m)}
				}
			}
			if err := table.Add(1, h); err != nil {
				t.Fatal(err)
			}
			base, end := context.WithCancel(context.Background())
			st := NewStage(base, Settings{
				Workers: 4, MaxWorkers: 4, Queue: 100, Window: 100, WindowBytes: 1 << 20, MaxFrame: 1 << 20, ReadBuffer: 1024, WriteBuffer: 1024,
				MaxDetached: 1, Deadline: time.Hour, Stall: time.Hour, WorkerBudget: supervisor.Budget{Intensity: 1, Period: time.Second},
			}, table, nil, supervisor.NewHub())
			st.system = newSystem()
			pool := st.system.Root.Spawn(newPoolProps(st))
			here, there := net.Pipe()
			c := newConnection(st, transport.NewConn(here), transport.Delimited)
			c.mailbox.status.Store(running) // there is no session
			time.Sleep(time.Hour)
			synctest.Wait()

			in := transport.Input{Buf: st.reads.Get()}
			for _, content := range []string{"one", "crash", "three", "crash", "five"} {
				m, err := proto.Marshal(&messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: content}}})
				if err != nil {
					t.Fatal(err)
				}
				in.Frames = append(in.Frames, transport.Frame{Start: len(in.Buf), End: len(in.Buf) + len(m)})
				in.Buf = append(in.Buf, m...)
			}
			st.router.submit(c.arrive(&in, 0))
			replies := 0
			for _, n, ok := c.window.release(); ok; _, n, ok = c.window.release() {
				replies += n
			}
			if replies != 5 || st.Counts().QueuedBursts != 0 {
				t.Errorf("borrowing %v: %d replies, %d bursts in the queue", borrowing, replies, st.Counts().QueuedBursts)
			}
			if c.pace.average > time.Minute {
				t.Errorf("borrowing %v: a request is said to take %v", borrowing, c.pace.average)
			}
			if held := st.reads.Held(); held != 0 {
				t.Errorf("borrowing %v: %d buffers are held", borrowing, held)
			}
			end()
			st.system.Root.Stop(pool)
			here.Close()
			there.Close()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			st.system.Shutdown()
		})
	}
}
