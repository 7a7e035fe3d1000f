package fault_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-go/understudy/internal/fault"
)

func TestHangLastsAsLongAsItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := fault.New(parse(t, "hang worker/* for=3s after=1 count=1"))
		for i, want := range []time.Duration{0, 3 * time.Second, 0} {
			before := time.Now()
			in.Strike("worker", 1)
			if got := time.Since(before); got != want {
				t.Errorf("request %d hung for %v, want %v", i+1, got, want)
			}
		}
	})
}

func TestReleaseEndsHangs(t *testing.T) {
	const endless, bounded = "hang worker/1", "hang worker/2 for=1h0m0s"
	synctest.Test(t, func(t *testing.T) {
		in := fault.New(parse(t, endless), parse(t, bounded))
		begun, returned := time.Now(), make(chan int, 3)
		for _, number := range []int{1, 1, 2} {
			go func() {
				in.Strike("worker", number)
				returned <- number
			}()
		}
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		if len(returned) != 0 {
			t.Fatalf("a hang of worker %d ended before its time", <-returned)
		}
		go in.Release() // from another goroutine than the test's, and twice
		in.Release()
		for range 3 {
			<-returned
		}
		if got := time.Since(begun); got != 59*time.Minute {
			t.Errorf("the hangs ended after %v, want 59m", got)
		}

		in.Release()
		in.Strike("worker", 1)
		in.Strike("worker", 2)
		if got := time.Since(begun); got != 59*time.Minute {
			t.Error("a hang began after Release")
		}
		if got := in.Struck(); got[endless] != 2 || got[bounded] != 1 {
			t.Errorf("struck %v, want 2 and 1: those after Release do not count", got)
		}
	})
}

func TestReleaseEndsHangsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := fault.New(parse(t, "slow worker/* delay=1s"), parse(t, "panic worker/* after=1"))
		in.Release()
		before := time.Now()
		in.Strike("worker", 1)
		if got := time.Since(before); got != time.Second {
			t.Errorf("after Release, slow slept %v, want 1s", got)
		}
		if strike(in, "worker", 1) == nil {
			t.Error("after Release, nothing panics")
		}
	})
}
