package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protodelim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for what must happen.
const patience = time.Minute

// program is one that runs, and what it prints.
type program struct {
	t      *testing.T
	lines  *bufio.Reader
	stop   context.CancelFunc
	result chan error
}

func start(t *testing.T) *program {
	t.Helper()
	read, write := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	p := &program{t, bufio.NewReader(read), stop, make(chan error, 1)}
	go func() {
		err := run(ctx, understudy.Config{Listen: []string{"tcp://127.0.0.1:0"}}, &together{w: write})
		write.Close()
		p.result <- err
	}()
	t.Cleanup(func() { p.end() })
	return p
}

// together has several goroutines write whole lines.
type together struct {
	mu sync.Mutex
	w  io.Writer
}

func (w *together) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(b)
}

// url reads on until it is printed.
func (p *program) url() string {
	p.t.Helper()
	for {
		line, err := p.lines.ReadString('\n')
		if err != nil {
			p.t.Fatal(err)
		}
		if url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on "); ok {
			return url
		}
	}
}

// end stops the program, which must end well, and returns what it printed then.
func (p *program) end() []string {
	p.stop()
	rest, _ := io.ReadAll(p.lines)
	if err := <-p.result; err != nil {
		p.t.Error(err)
	}
	p.result <- nil // it may be asked again
	lines := strings.Split(strings.TrimSpace(string(rest)), "\n")
	return slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "started ") }) // those may come late
}

func dial(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](t.Context(), url, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestRequestsGoToTheActors(t *testing.T) {
	c := dial(t, start(t).url())
	sum, err := client.Call[messages.AddResponse](t.Context(), c, &messages.AddRequest{A: 2, B: 40})
	if err != nil || sum.GetResult() != 42 {
		t.Errorf("got %v, %v", sum, err)
	}
	said, err := client.Call[messages.EchoMessage](t.Context(), c, &messages.EchoMessage{Content: "hello"})
	if err != nil || said.GetContent() != "hello" {
		t.Errorf("got %v, %v", said, err)
	}
	if _, err := client.Call[messages.AddResponse](t.Context(), c, &messages.AddRequest{A: 1 << 30, B: 1 << 30}); !errors.Is(err, messages.OutOfRange) {
		t.Errorf("got %v", err)
	}
}

// The end, while a client waits for many answers: it gets them all, as the actors go after the server.
func TestEndsInOrder(t *testing.T) {
	p := start(t)
	u, err := transport.ParseURL(p.url())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial(u.Network, u.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	const requests = 500
	out := new(bytes.Buffer)
	for i := range int32(requests) {
		m := &messages.ClientMessage{Message: &messages.ClientMessage_AddRequest{AddRequest: &messages.AddRequest{A: i, B: 1}}}
		if _, err := protodelim.MarshalTo(out, m); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Write(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan []string, 1)
	go func() { ended <- p.end() }()
	in := bufio.NewReader(conn)
	for i := range int32(requests) {
		m := new(messages.ServerMessage)
		if err := protodelim.UnmarshalFrom(in, m); err != nil || m.GetAddResponse().GetResult() != i+1 {
			t.Fatalf("reply %d: got %v, %v", i, m, err)
		}
	}
	if b, err := in.ReadByte(); err != io.EOF {
		t.Errorf("after the last reply: %v, %v", b, err)
	}
	conn.Close()
	want := []string{"stopped app/front", "stopped app/clerk", "stopped app/till", "ended app"}
	if lines := <-ended; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}

// A server that ends by itself is replaced, and the actors behind it do not notice.
func TestServerIsReplaced(t *testing.T) {
	system := newSystem()
	defer system.Shutdown()
	started := make(chan *understudy.Server, 1)
	pid, err := supervisor.Spawn(system.Root, app(nil, newFront(understudy.Config{Listen: []string{"tcp://127.0.0.1:0"}}, started)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	defer func() {
		if err := supervisor.PoisonAndAwait(ctx, system, pid); err != nil {
			t.Error(err)
		}
	}()
	var first *understudy.Server
	for range 2 {
		var server *understudy.Server
		select {
		case server = <-started:
		case <-ctx.Done():
			t.Fatal("no server is started")
		}
		<-server.Ready()
		c := dial(t, server.URLs()[0])
		if _, err := client.Call[messages.AddResponse](ctx, c, &messages.AddRequest{A: 2, B: 40}); err != nil {
			t.Error(err)
		}
		c.Close()
		if first != nil {
			break
		}
		first = server
		system.Root.Poison(server.PID())
	}
	if err := first.Wait(ctx); err != nil {
		t.Error(err)
	}
	n, err := system.Root.RequestFuture(actor.NewPID(system.Address(), pid.Id+"/till"), howMany{}, patience).Result()
	if err != nil || n != 2 {
		t.Errorf("the till has made %v additions, %v", n, err)
	}
}

// A server that cannot listen is a child that fails to start: the application does not start, and says why.
func TestPortIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = run(t.Context(), understudy.Config{Listen: []string{"tcp://" + l.Addr().String()}}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("got %v", err)
	}
}
