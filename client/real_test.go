package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/client/internal/wire"
	"github.com/understudy-go/understudy/messages"
)

// What follows is against the real server.

// host runs a server of the tests' wire, or of another, until the test ends, or until it is shut down.
func host[Req, Resp proto.Message](t testing.TB, service *understudy.Service[Req, Resp], config understudy.Config) *understudy.Server {
	t.Helper()
	config.Service = service
	if config.Listen == nil {
		config.Listen = []string{"tcp://127.0.0.1:0"}
	}
	server, err := understudy.New(config)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background()) }()
	<-server.Ready()
	t.Cleanup(func() {
		_, _ = server.Shutdown(context.Background())
		<-served
	})
	return server
}

// rolling is a Dial that goes to the first of the servers that takes connections.
type rolling struct{ servers []*understudy.Server }

func (r rolling) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var errs error
	for _, s := range r.servers {
		conn, err := new(net.Dialer).DialContext(ctx, network, s.URLs()[0][len("tcp://"):])
		if err == nil {
			return conn, nil
		}
		errs = errors.Join(errs, err)
	}
	return nil, errs
}

// A server is shut down under load while another one takes over. No idempotent call fails; of the others, what has failed as not
// started was not, and nothing was served that its caller was told was not.
func TestServerDrains(t *testing.T) {
	var mu sync.Mutex
	served := map[string]int{} // by text
	service := func() *understudy.Service[*wire.Request, *wire.Reply] {
		s := understudy.NewService[*wire.Request, *wire.Reply]()
		understudy.Handle(s, func(_ context.Context, in *wire.Ask) (*wire.Answer, error) {
			mu.Lock()
			defer mu.Unlock()
			served[in.GetText()]++
			return &wire.Answer{Text: in.GetText()}, nil
		})
		return s
	}
	for _, idempotent := range []bool{false, true} {
		t.Run(fmt.Sprint("idempotent ", idempotent), func(t *testing.T) {
			clear(served)
			first, second := host(t, service(), understudy.Config{}), host(t, service(), understudy.Config{})
			c := dialWire(t, first.URLs()[0], client.Options{Connections: 4, Retries: 10, Dial: rolling{[]*understudy.Server{first, second}}.Dial})
			var options []client.CallOption
			if idempotent {
				options = append(options, client.Idempotent())
			}
			var wg sync.WaitGroup
			var answered, after, unknown atomic.Int64
			down := make(chan struct{})
			for g := range 16 {
				wg.Go(func() {
					for i := 0; after.Load() < 200; i++ {
						text := fmt.Sprint(g, " ", i)
						got, err := ask(t.Context(), c, text, options...)
						mu.Lock()
						times := served[text]
						mu.Unlock()
						switch {
						case err == nil && got == text && times >= 1:
							answered.Add(1)
						case err == nil:
							t.Errorf("%q was served %d times and answered %q", text, times, got)
						case idempotent:
							t.Errorf("an idempotent call failed: %v", err)
						case messages.StatusOf(err).NotStarted && times > 0:
							t.Errorf("%q was served, and failed with %v", text, err)
						case !errors.Is(err, messages.Unavailable):
							t.Error(err)
						default:
							unknown.Add(1)
						}
						if !idempotent && times > 1 {
							t.Errorf("%q was served %d times", text, times)
						}
						select {
						case <-down:
							after.Add(1)
						default:
						}
					}
				})
			}
			for answered.Load() < 1000 {
				time.Sleep(ms) // the load has to run for a while
			}
			if _, err := first.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			close(down)
			wg.Wait()
			t.Logf("%d answered, %d unknown; %+v", answered.Load(), unknown.Load(), c.Counts())
		})
	}
}

// A server that takes one connection only is used over one, whatever the client would like, and no call is the worse for it.
func TestServerWithAConnectionLimit(t *testing.T) {
	for _, id := range []string{"", "id"} {
		s := understudy.NewService[*wire.Request, *wire.Reply]()
		if id != "" {
			s.RequestID(id)
		}
		understudy.Handle(s, func(_ context.Context, in *wire.Ask) (*wire.Answer, error) {
			return &wire.Answer{Text: in.GetText()}, nil
		})
		server := host(t, s, understudy.Config{MaxConnections: 1})
		c := dialWire(t, server.URLs()[0], client.Options{Connections: 4, Retries: 3, RequestID: id, Backoff: ms})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 200 {
					if got, err := ask(t.Context(), c, fmt.Sprint(g, i)); err != nil || got != fmt.Sprint(g, i) {
						t.Errorf("%q, %v", got, err)
					}
				}
			})
		}
		wg.Wait()
		if n := c.Counts(); n.Connections != 1 || n.Broken == 0 {
			t.Logf("no second connection was refused: %+v", n)
		}
	}
}

// With request ids the real server answers in the order in which it is done.
func TestServerAnswersOutOfOrder(t *testing.T) {
	s := understudy.NewService[*wire.Request, *wire.Reply]()
	s.RequestID("id")
	slow := make(chan struct{})
	understudy.Handle(s, func(_ context.Context, in *wire.Ask) (*wire.Answer, error) {
		if in.GetText() == "slow" {
			<-slow
		}
		return &wire.Answer{Text: in.GetText()}, nil
	}, understudy.Slow())
	server := host(t, s, understudy.Config{Workers: 4})
	c := dialWire(t, server.URLs()[0], client.Options{RequestID: "id"})
	done := make(chan error)
	go func() {
		got, err := ask(t.Context(), c, "slow")
		if got != "slow" && err == nil {
			err = errors.New(got)
		}
		done <- err
	}()
	for i := range 100 {
		if got, err := ask(t.Context(), c, fmt.Sprint(i)); err != nil || got != fmt.Sprint(i) {
			t.Errorf("%q, %v", got, err)
		}
	}
	close(slow)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Pushes of the real server, among replies.
func TestServerPushes(t *testing.T) {
	s := understudy.NewService[*wire.Request, *wire.Reply]()
	understudy.Handle(s, func(ctx context.Context, in *wire.Ask) (*wire.Answer, error) {
		return &wire.Answer{Text: in.GetText()}, understudy.SessionOf(ctx).Push(ctx, &wire.Note{Text: in.GetText()})
	})
	server := host(t, s, understudy.Config{})
	var book notebook
	c := dialWire(t, server.URLs()[0], client.Options{Pushes: []client.Push{client.OnPush(book.add)}})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				if got, err := ask(t.Context(), c, fmt.Sprint(g, " ", i)); err != nil || got != fmt.Sprint(g, " ", i) {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	if err := c.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if got := c.Counts(); got.Pushes+got.PushesDropped != 800 { // each was before its reply
		t.Errorf("%+v", got)
	}
}

// A handler that crashes is tried again if the call is idempotent.
func TestServerCrashes(t *testing.T) {
	var calls atomic.Int64
	s := understudy.NewService[*wire.Request, *wire.Reply]()
	understudy.Handle(s, func(_ context.Context, in *wire.Ask) (*wire.Answer, error) {
		if calls.Add(1)%3 != 0 {
			panic("on purpose")
		}
		return &wire.Answer{Text: in.GetText()}, nil
	})
	server := host(t, s, understudy.Config{})
	c := dialWire(t, server.URLs()[0], client.Options{Retries: 5, Backoff: ms})
	if got, err := ask(t.Context(), c, "x", client.Idempotent()); err != nil || got != "x" {
		t.Errorf("%q, %v", got, err)
	}
	_, err := ask(t.Context(), c, "x")
	wantStatus(t, err, messages.Internal, false)
	if messages.StatusOf(err).IncidentID == "" {
		t.Errorf("%v names no incident", err)
	}
}
