package load_test

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/understudy-go/understudy/internal/load"
	"github.com/understudy-go/understudy/transport"
)

// copyBytes starts a server that sends back what it gets: of an echo that is the right reply. It costs less than any other.
func copyBytes(t testing.TB) transport.URL {
	return breakServer(t, func(c net.Conn) { _, _ = io.Copy(onlyWriter{c}, onlyReader{c}) })
}

// onlyReader and onlyWriter keep io.Copy from splicing, which TCP does not need for that little.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

// Nothing is allocated for a request.
func TestAllocatesNothing(t *testing.T) {
	u := copyBytes(t)
	var replies, allocations []int64
	r := run(t, u, load.Config{
		Connections: 4, Depth: 16, Warmup: 50 * time.Millisecond, Duration: 200 * time.Millisecond,
		Mark: func(n int64) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			replies, allocations = append(replies, n), append(allocations, int64(m.Mallocs))
		},
	})
	clean(t, r)
	if n, a := replies[1]-replies[0], allocations[1]-allocations[0]; a > n/100+50 {
		t.Errorf("%d allocations for %d requests", a, n)
	}
}

// BenchmarkCost measures what the load itself costs: the CPU time of its threads for each request, with 64 connections and
// 32-byte echoes.
func BenchmarkCost(b *testing.B) {
	for _, depth := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			u := copyBytes(b)
			var ns, busy, throughput float64
			n := 0
			for b.Loop() {
				r := run(b, u, load.Config{Depth: depth, Warmup: 100 * time.Millisecond, Duration: time.Second})
				ns += float64(r.CPUPerRequest())
				throughput += r.Throughput
				busy += r.Generator.Busy
				n++
			}
			b.ReportMetric(ns/float64(n), "generator-ns/request")
			b.ReportMetric(throughput/float64(n), "requests/s")
			b.ReportMetric(busy/float64(n), "busy")
			b.ReportMetric(0, "ns/op")
		})
	}
}
