package actors

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/proto"
)

// deadConnection is a connection of a stage without a pool: what is submitted waits.
func deadConnection(t *testing.T, table *Table) *connection {
	t.Helper()
	st := NewStage(context.Background(), Settings{
		Workers: 1, MaxWorkers: 1, Queue: 10, Window: 10, WindowBytes: 1 << 20, MaxFrame: 1 << 20, ReadBuffer: 1024, WriteBuffer: 1024,
		Deadline: time.Hour, Stall: time.Hour,
	}, table, nil, supervisor.NewHub())
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	c := newConnection(st, transport.NewConn(here), transport.Delimited)
	c.mailbox.status.Store(running) // there is no session: wake-ups stay where they are
	return c
}

// arrival puts n requests into the connection's window, as its reader would.
func arrival(c *connection, n int) *Burst {
	in := transport.Input{Buf: []byte("x")}
	for range n {
		in.Frames = append(in.Frames, transport.Frame{Start: 0, End: 1})
		in.Bytes++
	}
	return c.arrive(&in, 0)
}

// What waits in the queue until its deadline is answered then, every request of it, and what has time left waits on.
func TestExpireQueue(t *testing.T) {
	c := deadConnection(t, echoTable(t))
	r := c.stage.router
	late, early := arrival(c, 3), arrival(c, 2)
	early.deadline = time.Now().Add(2 * time.Hour)
	r.submit(late)
	r.submit(early)
	r.expireQueue(time.Since(r.base) + 90*time.Minute)
	if n := r.ready.Load(); n != 2 || r.backlog.requests() != 2 {
		t.Errorf("%d requests are ready, %d wait, want 2 and 2", n, r.backlog.requests())
	}
	out, n, ok := c.window.release()
	if !ok || n != 3 {
		t.Fatalf("released %d replies, %v; want 3", n, ok)
	}
	for range 3 {
		payload, size, _, err := transport.Delimited.Next(out, 1<<20)
		if err != nil || size == 0 {
			t.Fatalf("a reply is missing: %v", err)
		}
		out = out[size:]
		var m messages.ServerMessage
		if err := proto.Unmarshal(payload, &m); err != nil || m.GetError().GetCode() != int32(messages.DeadlineExceeded) || !m.GetError().GetNotStarted() {
			t.Errorf("got %v, %v", &m, err)
		}
	}
	if len(out) != 0 || c.window.ready() {
		t.Error("there is more")
	}
	var counts Counts
	r.count(&counts)
	if counts.Codes[messages.DeadlineExceeded] != 3 {
		t.Errorf("%d requests are counted, want 3", counts.Codes[messages.DeadlineExceeded])
	}
}

// A full queue refuses a burst at once, every request of it, and keeps what it has.
func TestQueueIsFull(t *testing.T) {
	c := deadConnection(t, echoTable(t))
	r := c.stage.router
	r.submit(arrival(c, 8))
	r.submit(arrival(c, 3)) // 11 would be one too many
	if r.backlog.requests() != 8 || r.rejected.Load() != 3 {
		t.Errorf("%d requests wait, %d were refused; want 8 and 3", r.backlog.requests(), r.rejected.Load())
	}
	r.submit(arrival(c, 2))
	if r.backlog.requests() != 10 {
		t.Errorf("%d requests wait, want 10", r.backlog.requests())
	}
	if c.window.requests != 13 {
		t.Errorf("%d requests are in the window, want 13", c.window.requests)
	}
}
