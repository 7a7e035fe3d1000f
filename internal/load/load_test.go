package load_test

import (
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/internal/load"
)

// clean fails the test if anything was wrong, or if there was no load.
func clean(t *testing.T, r *load.Result) {
	t.Helper()
	if r.Problem != "" || r.Wrong+r.Misplaced+r.Surplus+r.Lost+r.Unanswered+r.Errors != 0 {
		t.Errorf("%+v", *r)
	}
	if r.Requests == 0 || r.Replies != r.Requests || r.Latency.Count != r.Requests+r.Unsent {
		t.Errorf("requests %d, replies %d, latencies %d, unsent %d, throughput %v", r.Requests, r.Replies, r.Latency.Count, r.Unsent, r.Throughput)
	}
}

func TestClosedLoop(t *testing.T) {
	for _, listen := range []string{"tcp://127.0.0.1:0", "tcp://127.0.0.1:0?framing=length32", "tcp://127.0.0.1:0?framing=unframed", "unix://" + t.TempDir() + "/s"} {
		u := serve(t, understudy.Config{Listen: []string{listen}})
		for _, depth := range []int{1, 300} {
			r := run(t, u, load.Config{
				Connections: 5, Depth: depth, Warmup: 20 * time.Millisecond, Duration: 100 * time.Millisecond, Grace: patience, Seed: 1,
				Protocol: load.EchoAdd(u.Framing, load.Mix{Echo: 9, Add: 1, Size: load.Sizes{Most: 400}}),
			})
			clean(t, r)
			t.Logf("%s depth %d: %.0f/s, %+v %+v", u, depth, r.Throughput, r.Latency, r.Generator)
		}
	}
}

func TestOpenLoop(t *testing.T) {
	u := serve(t, understudy.Config{})
	for _, arrivals := range []load.Arrivals{load.Poisson, load.Uniform} {
		r := run(t, u, load.Config{Connections: 7, Rate: 5000, Arrivals: arrivals, Warmup: 20 * time.Millisecond, Duration: 400 * time.Millisecond, Grace: patience})
		clean(t, r)
		if r.Requests+r.Unsent < 1700 || r.Requests+r.Unsent > 2300 {
			t.Errorf("%v: %d requests, want about 2000", arrivals, r.Requests)
		}
		t.Logf("%v: %d, late %d (%d), unsent %d; %+v %+v", arrivals, r.Requests, r.Late, r.LateOwn, r.Unsent, r.Latency, r.Generator)
	}
}

// Connections that are closed after a few requests are replaced.
func TestReconnecting(t *testing.T) {
	for _, listen := range []string{"tcp://127.0.0.1:0", "unix://" + t.TempDir() + "/s"} {
		u := serve(t, understudy.Config{Listen: []string{listen}})
		var marks []int64
		r := run(t, u, load.Config{
			Connections: 4, Depth: 2, Each: 3, Duration: 200 * time.Millisecond, Grace: patience,
			Mark: func(replies int64) { marks = append(marks, replies) },
		})
		clean(t, r)
		if len(marks) != 2 || marks[1]-marks[0] < 13 || marks[1] > r.Requests {
			t.Errorf("%v replies when the measurement began and ended, of %d", marks, r.Requests)
		}
		t.Logf("%.0f/s %+v", r.Throughput, r.Latency)
	}
}
