package understudy_test

import (
	"context"
	"testing"

	"github.com/understudy-go/understudy"
)

// What becomes of requests adds up in every snapshot, also while they come and go, and so does what is in the drain's. A server
// that does not serve can be asked as well.
func TestCountsFitAtAnyMoment(t *testing.T) {
	s, err := understudy.New(understudy.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Status().Counts; c != (understudy.Counts{}) {
		t.Errorf("before it serves: %+v", c)
	}
	if _, err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	h := serve(t, understudy.Config{Queue: 100_000})
	done := make(chan int)
	over := make(chan struct{})
	go func() {
		busy := 0
		for {
			c := h.Counts()
			if c.Decoded != c.Answered+c.Dropped+c.Unanswered+c.InFlight {
				t.Errorf("the books do not balance: %+v", c)
			}
			if c.InFlight > 0 {
				busy++
			}
			select {
			case <-over:
				done <- busy
				return
			default:
			}
		}
	}()
	load{connections: 20, requests: 2000}.run(t, h)
	close(over)
	if busy := <-done; busy == 0 {
		t.Error("nothing was ever seen in flight")
	}
	if st := h.Status(); st.Draining || st.Pool.Routing != understudy.FirstIdle || st.Asked.Limit != 100_000 || st.Pool.Queue.Limit != 100_000 {
		t.Errorf("it does not drain: %+v", st)
	}
	h.stop()
	if !h.Status().Draining {
		t.Error("it has drained")
	}
}

// Status costs a look at each connection.
func BenchmarkStatus(b *testing.B) {
	h := serve(b, understudy.Config{})
	for range 1000 {
		h.dial()
	}
	until(b, "all are there", func() bool { return h.Counts().Accepted == 1000 })
	for b.Loop() {
		h.Status()
	}
}
