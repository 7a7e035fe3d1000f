package understudy_test

import (
	"math"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
)

// memoryMeter watches how much memory the process has in use, its goroutines' stacks included.
type memoryMeter struct {
	before int64
	peak   atomic.Int64
	end    chan struct{}
	ended  chan struct{}
}

func newMemoryMeter() *memoryMeter {
	runtime.GC()
	m := &memoryMeter{before: memoryInUse(), end: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(m.ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			m.peak.Store(max(m.peak.Load(), memoryInUse()))
			select {
			case <-tick.C:
			case <-m.end:
				return
			}
		}
	}()
	return m
}

// stop returns by how many bytes the use has grown at its peak.
func (m *memoryMeter) stop() int64 {
	close(m.end)
	<-m.ended
	return m.peak.Load() - m.before
}

func memoryInUse() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() + samples[1].Value.Uint64())
}

// The ceiling is the documented formula.
func TestMemoryCeiling(t *testing.T) {
	const kib, mib = int64(1) << 10, int64(1) << 20
	c := understudy.Config{
		MaxConnections: 3, Window: 10, WindowBytes: 1 << 20, MaxFrame: 2 << 20, ReadBuffer: 4 << 10, WriteBuffer: 8 << 10,
		Workers: 5, MaxWorkers: 7, MaxDetached: 11,
	}
	read := 2*mib + 16
	requests := mib + read
	for largest, want := range map[int]int64{
		1000: 2 * (16*mib + 3*(16*kib+read+2*requests+10*kib+2*10*1000+2*8*kib) + (11+7*3)*(64*kib+4*read+4*1000+8*kib)),
		0:    2 * (16*mib + 3*(16*kib+read+2*requests+10*kib+2*(requests+10*128)+2*8*kib) + (11+7*3)*(64*kib+4*read+4*(read+128)+8*kib)),
	} {
		if got := c.MemoryCeiling(largest); got != want {
			t.Errorf("replies of %d bytes: %d, want %d", largest, got, want)
		}
	}
	most := understudy.Config{MaxConnections: math.MaxInt32, MaxFrame: 1 << 30, WindowBytes: math.MaxInt32, Window: 1 << 20}
	if got := most.MemoryCeiling(1 << 20); got != math.MaxInt64 {
		t.Errorf("the ceiling of the largest configuration is %d", got)
	}
	// The figures in the documentation.
	doc, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(doc)), " ")
	one := understudy.Config{MaxConnections: 2}.MemoryCeiling(0) - understudy.Config{MaxConnections: 1}.MemoryCeiling(0)
	if mib := math.Round(float64(one) / (1 << 20)); mib != 51 || !strings.Contains(text, "that is 51 MiB a connection") {
		t.Errorf("a connection comes to %v MiB, and the documentation says something else", mib)
	}
	small := understudy.Config{
		MaxConnections: 10_000, MaxFrame: 64 << 10, WindowBytes: 64 << 10, Window: 64, ReadBuffer: 16 << 10, WriteBuffer: 16 << 10,
		Workers: 16, MaxWorkers: 128,
	}.MemoryCeiling(0)
	if gib := math.Round(float64(small) / (1 << 30)); gib != 15 || !strings.Contains(text, "come to 15 GiB") {
		t.Errorf("the example comes to %v GiB, and the documentation says something else", gib)
	}
}
