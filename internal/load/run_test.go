package load_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/internal/load"
)

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	u := parse(t, "tcp://"+l.Addr().String())
	_, err = load.Run(t.Context(), load.Config{URL: u, Protocol: load.EchoAdd(nil, load.Mix{})})
	if _, ok := errors.AsType[*client.DialError](err); !ok {
		t.Errorf("got %v", err)
	}
}

func TestMistakes(t *testing.T) {
	fine := load.Config{Protocol: load.EchoAdd(nil, load.Mix{})}
	for names, change := range map[string]func(*load.Config){
		"Protocol":    func(c *load.Config) { c.Protocol = nil },
		"Connections": func(c *load.Config) { c.Connections = -1 },
		"Depth is -1": func(c *load.Config) { c.Depth = -1 },
		"Depth is 2":  func(c *load.Config) { c.Depth = 2_000_000 },
		"Rate is NaN": func(c *load.Config) { c.Rate = math.NaN() },
		"Rate is -1":  func(c *load.Config) { c.Rate = -1 },
		"Warmup":      func(c *load.Config) { c.Warmup = -1 },
		"Duration -1": func(c *load.Config) { c.Duration = -1 },
		"Each is 3":   func(c *load.Config) { c.Each, c.Rate = 3, 10 },
		"Threads":     func(c *load.Config) { c.Threads = -1 },
		"over 256 MiB": func(c *load.Config) {
			c.Depth, c.Protocol = 1_000_000, load.EchoAdd(nil, load.Mix{Size: load.Sizes{Least: 1024, Most: 1024}})
		},
	} {
		c := fine
		change(&c)
		_, err := load.Run(t.Context(), c)
		if _, ok := errors.AsType[*load.ConfigError](err); !ok {
			t.Errorf("%s: got %v", names, err)
			continue
		}
		mentions(t, err.Error(), names)
	}
}

// When the context ends, in warm-up or later, there is a result of what was measured.
func TestInterrupted(t *testing.T) {
	u := serve(t, understudy.Config{})
	for _, c := range []load.Config{
		{Warmup: time.Hour},
		{Duration: patience, Interval: 20 * time.Millisecond},
		{Duration: patience, Interval: 20 * time.Millisecond, Rate: 1000},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		c.URL, c.Protocol, c.Connections = u, load.EchoAdd(u.Framing, load.Mix{}), 3
		c.Progress = func(i load.Interval) { cancel() }
		if c.Warmup > 0 {
			c.URL = answer(t, func(n int, right []byte) ([]byte, bool) {
				cancel()
				return right, true
			})
		}
		r, err := load.Run(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Interrupted || r.Problem != "" || r.Unanswered != 0 || (r.Requests == 0) != (c.Warmup > 0) || r.Duration >= patience {
			t.Errorf("%+v", *r)
		}
	}
}

// A server that ends is named as the one that ended, and has answered nothing wrong.
func TestServerEnds(t *testing.T) {
	s, err := understudy.New(understudy.Config{Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background()) }()
	<-s.Ready()
	var once sync.Once
	r := run(t, parse(t, s.URLs()[0]), load.Config{
		Connections: 3, Duration: patience, Interval: 20 * time.Millisecond,
		Progress: func(load.Interval) {
			once.Do(func() {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				if _, err := s.Shutdown(ctx); err != nil {
					t.Error(err)
				}
			})
		},
	})
	<-served
	if r.Lost != 3 || r.Wrong+r.Misplaced+r.Surplus != 0 || !r.Interrupted || r.Requests != r.Replies+r.Unanswered {
		t.Errorf("%+v", *r)
	}
}

// What the server has answered is what the load has got, to the last reply.
func TestServersBooks(t *testing.T) {
	for _, rate := range []float64{0, 2000} {
		s, err := understudy.New(understudy.Config{Listen: []string{"tcp://127.0.0.1:0"}})
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(context.Background()) }()
		<-s.Ready()
		var all int64
		r := run(t, parse(t, s.URLs()[0]), load.Config{
			Connections: 5, Rate: rate, Duration: 200 * time.Millisecond, Interval: 30 * time.Millisecond, Grace: patience,
			Progress: func(i load.Interval) { all += i.Replies },
		})
		clean(t, r)
		report, err := s.Shutdown(t.Context())
		if err != nil {
			t.Error(err)
		}
		<-served
		if c := report.Counts; c.Answered != r.Replies || c.BytesReceived < r.Sent {
			t.Errorf("rate %v: %d answered, %d bytes received; %+v", rate, c.Answered, c.BytesReceived, *r)
		}
		if all > r.Replies || len(r.Intervals) == 0 {
			t.Errorf("rate %v: %d replies in all intervals: %+v", rate, all, *r)
		}
	}
}

// Crashes are counted as what the server says they are.
func TestCrashes(t *testing.T) {
	u := serve(t, understudy.Config{Faults: []string{"panic worker/* p=0.1 seed=1"}})
	r := run(t, u, load.Config{Connections: 3, Depth: 8, Duration: 300 * time.Millisecond})
	if r.Errors == 0 || r.Codes["INTERNAL"] != r.Errors || r.Errors > r.Requests/5 || r.Wrong+r.Misplaced+r.Lost+r.Unanswered != 0 {
		t.Errorf("%+v", *r)
	}
}

// The same seed makes the same load.
func TestSeed(t *testing.T) {
	sent := func(seed uint64) []byte {
		const enough = 10_000
		got := make(chan []byte, 1)
		u := breakServer(t, func(c net.Conn) {
			b := make([]byte, enough)
			n, _ := io.ReadFull(c, b)
			got <- b[:n]
		})
		run(t, u, load.Config{
			Connections: 1, Depth: 1000, Duration: 50 * time.Millisecond, Seed: seed,
			Protocol: load.EchoAdd(nil, load.Mix{Echo: 1, Add: 1, Size: load.Sizes{Least: 1, Most: 50}}),
		})
		return <-got
	}
	one, again, other := sent(1), sent(1), sent(2)
	if len(one) == 0 || !bytes.Equal(one, again) || bytes.Equal(one, other) {
		t.Errorf("%d bytes, the same again: %v, the same with another seed: %v", len(one), bytes.Equal(one, again), bytes.Equal(one, other))
	}
}

func TestMixAndSizes(t *testing.T) {
	for text, want := range map[string]load.Mix{
		"echo=9,add=1": {Echo: 9, Add: 1},
		"add=1":        {Add: 1},
		"echo=0,add=2": {Add: 2},
	} {
		var m load.Mix
		if err := m.UnmarshalText([]byte(text)); err != nil || m != want {
			t.Errorf("%q: %+v, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "echo", "echo=", "echo=-1", "sing=1", "echo=0", "echo=1,,add=1", "echo=1000001"} {
		if err := new(load.Mix).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	for text, want := range map[string]load.Sizes{"0": {}, "32": {32, 32}, "16KiB": {16384, 16384}, "16-1024": {16, 1024}} {
		var s load.Sizes
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "x", "-1", "9-8", "1GiB", "1-", "-"} {
		if err := new(load.Sizes).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
