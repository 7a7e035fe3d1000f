package measure_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-go/understudy/bench/internal/burst"
	"github.com/understudy-go/understudy/bench/internal/measure"
	"github.com/understudy-go/understudy/bench/internal/peer"
	"github.com/understudy-go/understudy/bench/internal/process"
	"github.com/understudy-go/understudy/bench/peers/plain"
	"github.com/understudy-go/understudy/bench/peers/rpc"
	"go.uber.org/goleak"
)

// TestMain is also the servers that the tests start; the variable says which.
func TestMain(m *testing.M) {
	which := os.Getenv("MEASURE_TEST_SERVER")
	os.Args = append(os.Args[:1:1], serverArgs(which)...)
	switch which {
	case "":
		// The race detector lets a program that ends wait for a second; a server is one here.
		if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
			panic(err)
		}
		goleak.VerifyTestMain(m)
	case "plain":
		peer.Main(plain.Serve)
	case "grpc":
		peer.Main(rpc.Serve)
	default:
		peer.Main(liar(which))
	}
}

// serverArgs are a server's, which has no use for those of a test; and a test's own.
func serverArgs(which string) []string {
	if which == "" {
		return os.Args[1:]
	}
	return nil
}

// liar echoes bytes, but for once in a while.
func liar(how string) func(net.Listener) error {
	var reads atomic.Int64
	return func(l net.Listener) error {
		return burst.Serve(l, func(nc net.Conn) {
			b := make([]byte, 64<<10)
			for {
				n, err := nc.Read(b)
				if err != nil {
					return
				}
				if reads.Add(1)%5 == 0 {
					switch how {
					case "wrong":
						b[n-1]++
					case "silent":
						continue
					case "double":
						b, n = append(b[:n], b[:n]...), 2*n
					case "closing":
						return
					case "crashing":
						fmt.Fprintln(os.Stderr, "that was too much")
						os.Exit(1)
					}
				}
				if _, err := io.Copy(nc, bytes.NewReader(b[:n])); err != nil {
					return
				}
			}
		})
	}
}

func start(t *testing.T, server string) *process.Server {
	t.Helper()
	t.Setenv("MEASURE_TEST_SERVER", server)
	s, err := process.Start(t.Context(), os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var times = measure.Times{Warmup: 20 * time.Millisecond, Duration: 200 * time.Millisecond, Idle: 20 * time.Millisecond}

// Each load must come to an end with a server that is right, and with figures: not with these or those.
func TestLoads(t *testing.T) {
	loop := measure.Loop{Connections: 4, Depth: 4, Size: 32}
	open, churn := loop, loop
	churn.Each = 1
	open.Rate = 1000
	for name, c := range map[string]struct {
		server string
		load   measure.Load
	}{
		"closed loop":     {"plain", loop},
		"open loop":       {"plain", open},
		"deaf":            {"plain", measure.Deaf{Loop: loop}},
		"connect":         {"plain", churn},
		"gRPC, calls":     {"grpc", measure.GRPC{Connections: 3, Depth: 2, Size: 32}},
		"gRPC, streaming": {"grpc", measure.GRPC{Streaming: true, Connections: 3, Depth: 2, Size: 32}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, c.server)
			f, err := c.load.Run(t.Context(), s, times)
			if err != nil {
				t.Fatal(err)
			}
			// With a note, the machine was too busy for them.
			if (!(f.Rate > 0) || !(f.CPU > 0) || math.IsInf(f.CPU, 0)) && f.Note == "" {
				t.Errorf("figures %+v", f)
			}
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("idle", func(t *testing.T) {
		s := start(t, "plain")
		f, err := measure.Idle{Connections: 50, Depth: 4, Size: 32}.Run(t.Context(), s, times)
		if err != nil || math.IsNaN(f.Memory) {
			t.Errorf("figures %+v (%v)", f, err)
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// A server that does something wrong must not get figures.
func TestLiars(t *testing.T) {
	loop := measure.Loop{Connections: 4, Depth: 4, Size: 32}
	churn := loop
	churn.Each = 1
	for _, how := range []string{"wrong", "silent", "double", "closing", "crashing"} {
		for name, load := range map[string]measure.Load{
			"loop":    loop,
			"connect": churn,
			"idle":    measure.Idle{Connections: 50, Depth: 4, Size: 32},
		} {
			if how == "silent" && name != "loop" {
				continue // it would end with its time-out only
			}
			t.Run(how+"/"+name, func(t *testing.T) {
				s := start(t, how)
				fromTheFirst := times
				fromTheFirst.Warmup = 0 // what is not answered before the measurement does not count
				f, err := load.Run(t.Context(), s, fromTheFirst)
				if err == nil {
					t.Errorf("it has figures: %+v", f)
				}
				if how == "crashing" {
					err = s.Stop()
					if err == nil || !strings.Contains(err.Error(), "that was too much") {
						t.Errorf("of the crash is said %v", err)
					}
				} else if err := s.Stop(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A server without panics must not pass for one that has them, nor the other way round.
func TestFailingMustFail(t *testing.T) {
	s := start(t, "plain")
	f, err := measure.Loop{Connections: 2, Depth: 2, Size: 32, Failing: true}.Run(t.Context(), s, times)
	if err == nil {
		t.Errorf("figures of panics where there are none: %+v", f)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}
