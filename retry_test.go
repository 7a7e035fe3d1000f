package understudy_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// flaky is an idempotent Echo that crashes as often as its content says: "2 name" twice, then it succeeds.
type flaky struct {
	mu    sync.Mutex
	calls map[string]int
}

func (f *flaky) echo(ctx context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
	var crashes int
	_, _ = fmt.Sscanf(in.Content, "%d", &crashes)
	f.mu.Lock()
	f.calls[in.Content]++
	call := f.calls[in.Content]
	f.mu.Unlock()
	if strings.HasSuffix(in.Content, "late") {
		<-ctx.Done()
	}
	if call > crashes {
		return in, nil
	}
	content := in.Content
	in.Content = "spoiled" // the next call must not see it
	if strings.HasSuffix(content, "exit") {
		runtime.Goexit()
	}
	panic("as it was told")
}

func (f *flaky) called(content string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[content]
}

func newFlaky(t *testing.T, c understudy.Config, options ...understudy.HandlerOption) (*flaky, *host) {
	f := &flaky{calls: make(map[string]int)}
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, f.echo, options...)
	understudy.Handle(s, func(_ context.Context, in *messages.AddRequest) (*messages.AddResponse, error) {
		return &messages.AddResponse{Result: in.A + in.B}, nil
	})
	c.Service = s
	return f, serve(t, c)
}

// An idempotent handler that crashes is called again with the message as it came, wherever in a burst it stands, and
// nothing else of the burst is served twice or out of place.
func TestRetry(t *testing.T) {
	for _, options := range [][]understudy.HandlerOption{
		{understudy.Idempotent()},
		{understudy.Idempotent(), understudy.Slow()},
		{understudy.Idempotent(), understudy.Key(func(in *messages.EchoMessage) string { return "one for all" })},
	} {
		f, h := newFlaky(t, understudy.Config{Workers: 2, Deadline: patience}, options...)
		p := h.dial()
		var want []string
		retries := 0
		for round, burst := range [][]string{
			{"1"}, {"2"}, {"1 exit"},
			{"0", "1", "0"}, {"2", "0"}, {"0", "2"}, {"1", "1 b", "2 c"}, {"0", "0 b", "2 exit", "1", "0 c", "2", "2 d"},
		} {
			var b []byte
			for i, content := range burst {
				content = strings.Replace(content, " ", fmt.Sprintf(" %d.%d ", round, i), 1)
				if !strings.Contains(content, " ") {
					content += fmt.Sprintf(" %d.%d", round, i)
				}
				b = append(b, p.frame(echoRequest(content))...)
				b = append(b, p.frame(addRequest(int32(round), int32(i)))...)
				want = append(want, content)
				retries += int(content[0] - '0')
			}
			p.send(b...)
			for i := range burst {
				p.want(echoReply(want[len(want)-len(burst)+i]))
				p.want(addReply(int32(round + i)))
			}
		}
		for _, content := range want {
			if n, due := f.called(content), 1+int(content[0]-'0'); n != due {
				t.Errorf("%q was handled %d times, want %d", content, n, due)
			}
		}
		p.Close()
		c := h.stop().Counts
		if c.Retried != int64(retries) || c.Crashes != int64(retries) || c.Codes[messages.OK] != int64(2*len(want)) || c.Codes[messages.Internal] != 0 {
			t.Errorf("%d retries are due: %+v", retries, c)
		}
	}
}

// After Config.Retries more calls the crash is the answer; the next request begins anew.
func TestRetryIsBounded(t *testing.T) {
	for retries, calls := range map[int]int{0: 3, 1: 2, 5: 6, -1: 1} {
		f, h := newFlaky(t, understudy.Config{Workers: 2, Deadline: patience, Retries: retries}, understudy.Idempotent())
		p := h.dial()
		p.send(append(append(p.frame(echoRequest("9 a")), p.frame(echoRequest("9 b"))...), p.frame(addRequest(1, 1))...)...)
		p.want(errorReply(messages.Internal))
		p.want(errorReply(messages.Internal))
		p.want(addReply(2))
		for _, content := range []string{"9 a", "9 b"} {
			if n := f.called(content); n != calls {
				t.Errorf("with Retries %d %q was handled %d times, want %d", retries, content, n, calls)
			}
		}
	}
}

// Without the option a handler is called once, and with it not again after the deadline.
func TestRetryNeedsPermissionAndTime(t *testing.T) {
	f, h := newFlaky(t, understudy.Config{Workers: 2})
	p := h.dial()
	p.send(p.frame(echoRequest("1"))...)
	p.want(errorReply(messages.Internal))
	if n := f.called("1"); n != 1 {
		t.Errorf("a handler that is not idempotent was called %d times", n)
	}

	f, h = newFlaky(t, understudy.Config{Workers: 2, Deadline: 50 * time.Millisecond}, understudy.Idempotent())
	p = h.dial()
	p.send(p.frame(echoRequest("1 late"))...)
	if m, err := p.next(); err != nil || (m.GetError().GetCode() != int32(messages.DeadlineExceeded) && m.GetError().GetCode() != int32(messages.Internal)) {
		t.Errorf("got %v, %v", m, err) // the crash and the deadline are a race
	}
	until(t, "the handler has crashed", func() bool { return h.Counts().Crashes == 1 })
	p.Close()
	if c := h.stop().Counts; f.called("1 late") != 1 || c.Retried != 0 {
		t.Errorf("it was called %d times after its deadline: %+v", f.called("1 late")-1, c)
	}
}

// Options that do not fit are named with their arm by New.
func TestHandlerOptionsThatDoNotFit(t *testing.T) {
	echo := func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) { return in, nil }
	for want, options := range map[string][]understudy.HandlerOption{
		"arm echo_message: an option is nil":                    {nil},
		"arm echo_message: the key function is nil":             {understudy.Key[*messages.EchoMessage](nil)},
		"arm echo_message: there are two key functions":         {understudy.Key(keyOf), understudy.Key(keyOf)},
		"takes a *messages.AddRequest, and the handler a *mess": {understudy.Key(func(*messages.AddRequest) string { return "" })},
	} {
		s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
		understudy.Handle(s, echo, options...)
		if _, err := understudy.New(understudy.Config{Service: s}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// A retried request whose reply is larger than a buffer, alone and behind others.
func TestRetryOfLargeReply(t *testing.T) {
	_, h := newFlaky(t, understudy.Config{Workers: 2, Deadline: patience}, understudy.Idempotent())
	p := h.dial()
	for i := range 3 {
		content := fmt.Sprint("1 ", i, strings.Repeat("x", 100<<10))
		p.send(append(p.frame(echoRequest(fmt.Sprint("0 ", i))), p.frame(echoRequest(content))...)...)
		p.want(echoReply(fmt.Sprint("0 ", i)))
		p.want(echoReply(content))
		p.send(p.frame(echoRequest(content + "again"))...)
		p.want(echoReply(content + "again"))
	}
}

// A request whose handler has crashed, and which waits for another try until its deadline, was started.
func TestRetryThatWaitsWasStarted(t *testing.T) {
	release, called := make(chan struct{}), make(chan struct{}, 10)
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		called <- struct{}{}
		<-release
		if in.Content == "victim" {
			panic("as it was told")
		}
		<-release
		return in, nil
	}, understudy.Idempotent(), understudy.Slow())
	h := serve(t, understudy.Config{Service: s, Workers: 1, Deadline: 300 * time.Millisecond, Stall: patience, Retries: 100})
	victim, hog := h.dial(), h.dial()
	victim.send(victim.frame(echoRequest("victim"))...)
	<-called
	hog.send(hog.frame(echoRequest("hog"))...)
	until(t, "the hog waits", func() bool { return h.Status().Pool.Queue.Now == 1 })
	release <- struct{}{} // the victim crashes, and one of the two comes next
	if m, err := victim.next(); err != nil || m.GetError().GetNotStarted() || m.GetError() == nil {
		t.Errorf("got %v, %v", m, err)
	}
	close(release)
	hog.Close()
}
