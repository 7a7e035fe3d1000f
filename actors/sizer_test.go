package actors

import (
	"context"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/proto"
)

func TestSizer(t *testing.T) {
	type look struct {
		after      time.Duration
		idle, busy int
		wait       time.Duration
		want       int
	}
	const hungry = growWait
	tests := []struct {
		name     string
		min, max int
		looks    []look
	}{
		{"one look is not enough to grow", 4, 16, []look{{0, 0, 4, hungry, 4}, {time.Millisecond, 1, 3, hungry, 4}, {time.Millisecond, 0, 4, hungry, 4}}},
		{"two are, and it counts anew", 4, 16, []look{
			{0, 0, 4, hungry, 4}, {time.Millisecond, 0, 4, hungry, 5}, {time.Millisecond, 0, 5, hungry, 5}, {time.Millisecond, 0, 5, hungry, 6},
		}},
		{"a short wait is no reason", 4, 16, []look{{0, 0, 4, hungry - 1, 4}, {1, 0, 4, hungry - 1, 4}, {1, 0, 4, hungry - 1, 4}}},
		{"by a quarter", 40, 100, []look{{0, 0, 40, hungry, 40}, {1, 0, 40, hungry, 50}, {1, 0, 50, hungry, 50}, {1, 0, 50, hungry, 62}}},
		{"to the maximum", 10, 11, []look{{0, 0, 10, hungry, 10}, {1, 0, 10, hungry, 11}, {1, 0, 11, hungry, 11}, {1, 0, 11, hungry, 11}}},
		{"never, if minimum and maximum agree", 4, 4, []look{{0, 0, 4, hungry, 4}, {1, 0, 4, hungry, 4}, {time.Hour, 4, 0, 0, 4}}},
		{"shrinks after quiet, and never below the minimum", 4, 16, []look{
			{0, 0, 4, hungry, 4}, {1, 0, 4, hungry, 5}, {1, 0, 5, hungry, 5}, {1, 0, 5, hungry, 6},
			{time.Second, 6, 0, 0, 6},     // five were busy when it grew
			{shrinkAfter, 6, 0, 0, 5},     // still: that many were busy at the start of the time
			{shrinkAfter - 1, 5, 0, 0, 5}, // not yet
			{1, 5, 0, 0, 4},
			{shrinkAfter, 4, 0, 0, 4},
		}},
		{"a peak above half of it keeps the size", 2, 8, []look{
			{0, 0, 2, hungry, 2}, {1, 0, 2, hungry, 3}, {1, 0, 3, hungry, 3}, {1, 0, 3, hungry, 4},
			{shrinkAfter - 1, 1, 3, 0, 4}, {shrinkAfter - 1, 1, 3, 0, 4}, {shrinkAfter, 3, 1, 0, 4}, {shrinkAfter, 3, 1, 0, 3},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			z := newSizer(test.min, test.max)
			now := time.Duration(0)
			for i, l := range test.looks {
				now += l.after
				if got := z.look(now, l.idle, l.busy, l.wait); got != l.want {
					t.Fatalf("look %d: %d workers, want %d", i, got, l.want)
				}
			}
		})
	}
}

// Whatever it sees, the size stays within its bounds, and changes by a quarter at most; it grows only while nobody is idle
// and shrinks only while half would do.
func TestSizerStaysWithinBounds(t *testing.T) {
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		low := 1 + rnd.IntN(50)
		high := low + rnd.IntN(200)
		z := newSizer(low, high)
		now := time.Duration(0)
		for range 300 {
			now += time.Duration(rnd.Int64N(int64(4 * time.Second)))
			was := z.size
			busy := rnd.IntN(was + 1)
			idle := was - busy
			if rnd.IntN(2) == 0 {
				busy, idle = was, 0
			}
			wait := time.Duration(rnd.Int64N(int64(2 * growWait)))
			is := z.look(now, idle, busy, wait)
			step := max(1, was/4)
			switch {
			case is < low || is > high:
				t.Fatalf("seed %d: %d workers, with bounds %d and %d", seed, is, low, high)
			case is > was && (idle > 0 || wait < growWait || is > was+step):
				t.Fatalf("seed %d: from %d to %d with %d idle after a wait of %v", seed, was, is, idle, wait)
			case is < was && (busy > was/2 || is < was-step):
				t.Fatalf("seed %d: from %d to %d with %d busy", seed, was, is, busy)
			}
		}
	}
}

// The pool's actor does what the sizer says: it starts workers while bursts wait, and stops those beyond the size later,
// but none that serves.
func TestPoolFollowsTheSizer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const low, high = 2, 5
		table := echoTable(t)
		release := make(chan struct{})
		err := table.Add(1, &Handler{Name: "echo_message", Reply: table.Replies.Arm(1), Slow: true, Decode: func([]byte) (proto.Message, error) { return new(messages.EchoMessage), nil }, Take: func(context.Context, proto.Message) (proto.Message, error) {
			<-release
			return new(messages.EchoMessage), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		base, end := context.WithCancel(context.Background())
		st := NewStage(base, Settings{
			Workers: low, MaxWorkers: high, Queue: 100, Window: 100, WindowBytes: 1 << 20, MaxFrame: 1 << 20, ReadBuffer: 1024, WriteBuffer: 1024,
			MaxDetached: 1, Deadline: time.Hour, Stall: time.Hour,
		}, table, nil, supervisor.NewHub())
		st.system = newSystem()
		pool := st.system.Root.Spawn(newPoolProps(st))
		here, there := net.Pipe()
		c := newConnection(st, transport.NewConn(here), transport.Delimited)
		c.mailbox.status.Store(running) // there is no session
		synctest.Wait()
		if p := st.Levels(); p.Workers != low || p.Idle != low {
			t.Errorf("at first: %+v", p)
		}
		for range high + 2 {
			st.router.submit(c.arrive(&transport.Input{Buf: []byte{10, 0}, Frames: []transport.Frame{{Start: 0, End: 2}}, Bytes: 2}, 2))
		}
		time.Sleep(time.Second)
		if p := st.Levels(); p.Workers != high || p.Idle != 0 || p.Ready+p.HeldUp != 2 {
			t.Errorf("under load: %+v", p)
		}
		for range high + 1 { // one goes on
			release <- struct{}{}
		}
		time.Sleep(10 * shrinkAfter)
		synctest.Wait()
		p := st.Levels()
		// The one that serves may stand beyond the size, and is not stopped.
		if p.Idle != p.Workers-1 || p.Workers > low+1 {
			t.Errorf("when one request is left: %+v", p)
		}
		release <- struct{}{}
		time.Sleep(2 * maxSweepPause * sweepIdle)
		synctest.Wait()
		if p := st.Levels(); p.Workers != low || p.Idle != low {
			t.Errorf("at the end: %+v", p)
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
