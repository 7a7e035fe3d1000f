package load_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/internal/load"
	"github.com/understudy-go/understudy/transport"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test for something that must happen.
const patience = 60 * time.Second

// serve starts the real server and returns its URL.
func serve(t testing.TB, c understudy.Config) transport.URL {
	t.Helper()
	if c.Listen == nil {
		c.Listen = []string{"tcp://127.0.0.1:0"}
	}
	s, err := understudy.New(c)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background()) }()
	<-s.Ready()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		<-served
	})
	return parse(t, s.URLs()[0])
}

func parse(t testing.TB, url string) transport.URL {
	t.Helper()
	u, err := transport.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// run makes a load that may not fail to start.
func run(t testing.TB, u transport.URL, c load.Config) *load.Result {
	t.Helper()
	c.URL = u
	if c.Protocol == nil {
		c.Protocol = load.EchoAdd(u.Framing, load.Mix{Size: load.Sizes{Least: 32, Most: 32}})
	}
	for {
		r, err := load.Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if r.Requests > 0 || r.Problem != "" || c.Duration > patience {
			return r
		}
		c.Duration *= 4 // the machine was too busy to begin
	}
}

// mentions fails the test if a text does not say something.
func mentions(t *testing.T, text, what string) {
	t.Helper()
	if !strings.Contains(text, what) {
		t.Errorf("%q does not say %q", text, what)
	}
}
