package understudy_test

import (
	"os"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// Sessions crash again and again, also between a write and its bookkeeping: no connection breaks, and every reply comes,
// once, whole, in its place.
func TestMillionWithSessionCrashes(t *testing.T) {
	l := million()
	h := serve(t, understudy.Config{Faults: []string{"panic session/* every=1ms seed=1"}})
	if failed := l.run(t, h); failed != 0 {
		t.Errorf("%d errors", failed)
	}
	c := h.stop().Counts
	if c.Answered != l.total() || c.PeerErrors != 0 || c.SocketErrors != 0 || c.Unanswered != 0 {
		t.Errorf("counts: %+v", c)
	}
	if n := struck(h); n < 10 {
		t.Errorf("only %d sessions crashed", n)
	}
}

// struck returns how many faults have struck.
func struck(h *host) (n int64) {
	for _, count := range h.Struck() {
		n += count
	}
	return n
}

// Crashes and slowness of workers together: errors only where a handler crashed.
func TestMillionWithCrashesAndSlowness(t *testing.T) {
	l := million()
	l.allowed = map[messages.Code]bool{messages.Internal: true}
	h := serve(t, understudy.Config{
		Deadline: patience, Workers: 64,
		Faults: []string{"panic worker/* p=0.01 seed=1", "slow worker/* p=0.001 delay=80ms seed=2"},
	})
	failed := l.run(t, h)
	c := h.stop().Counts
	if c.Answered != l.total() || c.Crashes != failed {
		t.Errorf("answered %d of %d, crashes %d, INTERNAL %d", c.Answered, l.total(), c.Crashes, failed)
	}
}

// chaosTime is how long TestChaos runs; UNDERSTUDY_CHAOS=1m makes it longer.
func chaosTime(t *testing.T) time.Duration {
	text := os.Getenv("UNDERSTUDY_CHAOS")
	if text == "" {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("UNDERSTUDY_CHAOS: %v", err)
	}
	return d
}

// Every kind of actor crashes, one at random every 10 ms or so, under load: the process stays, connections stay, and no
// request is unaccounted for. An acceptor is resumed, a pool is restarted and its queue kept. Afterwards nothing is left,
// neither goroutine nor descriptor.
func TestChaos(t *testing.T) {
	descriptors := openFiles(t)
	l := load{connections: 50, requests: 2000}
	if raceEnabled {
		l.requests /= 10
	}
	l.allowed = map[messages.Code]bool{messages.Internal: true}
	h := serve(t, understudy.Config{
		Deadline: patience,
		Faults: []string{
			"panic worker/* p=0.002 seed=1",
			"slow worker/* p=0.0002 delay=60ms seed=2",
			"panic worker/* every=20ms seed=6",
			"panic session/* every=20ms seed=3",
			"panic acceptor/* every=100ms seed=4",
			"panic pool every=4s seed=5",
		},
	})
	var sent, failed int64
	for begun := time.Now(); time.Since(begun) < chaosTime(t); sent += l.total() {
		failed += l.run(t, h)
	}
	r := h.stop()
	c := r.Counts
	if c.Answered != sent || c.Codes[messages.Internal] != failed || r.Cause != nil || len(r.Leaked) != 0 {
		t.Errorf("answered %d of %d, %d INTERNAL of %d; report %+v", c.Answered, sent, c.Codes[messages.Internal], failed, r)
	}
	until(t, "the clients' connections are closed", func() bool { return openFiles(t) <= descriptors })
	t.Logf("%d requests, struck: %v", sent, h.Struck())
}

// openFiles returns how many file descriptors the process has.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// A pool that fails more often than its budget allows ends the server, in order: what has arrived is answered, and Serve
// says why.
func TestPoolFailsForGood(t *testing.T) {
	h := serve(t, understudy.Config{Workers: 2, Faults: []string{"panic pool", "panic worker/*"}, Drain: 2 * time.Second})
	select {
	case err := <-h.served:
		if err == nil {
			t.Error("Serve returned nil")
		}
	case <-time.After(patience):
		t.Fatal("the server goes on")
	}
	if r := h.stop(); r.Cause == nil {
		t.Errorf("report: %+v", r)
	}
}

// Each hung handler costs exactly its own request, however many hang.
func TestHangsUnderLoad(t *testing.T) {
	l := load{connections: 50, requests: 1000}
	if raceEnabled {
		l.requests /= 5
	}
	l.allowed = map[messages.Code]bool{messages.DeadlineExceeded: true}
	h := serve(t, understudy.Config{
		Workers: 64, Deadline: 2 * time.Second, Drain: 500 * time.Millisecond, Stall: 10 * time.Millisecond,
		Faults: []string{"hang worker/* p=0.002 seed=1"},
	})
	failed := l.run(t, h)
	hung := struck(h)
	r := h.stop()
	if failed != hung || r.Counts.Codes[messages.DeadlineExceeded] != hung || hung == 0 {
		t.Errorf("%d handlers hung, %d requests failed: %+v", hung, failed, r.Counts)
	}
	if int64(len(r.Leaked)) != hung {
		t.Errorf("%d handlers hang, and %d are named", hung, len(r.Leaked))
	}
}
