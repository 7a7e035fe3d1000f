package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/examples/chat/wire"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
	"github.com/understudy-go/understudy/transport"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protodelim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for what must happen.
const patience = 2 * time.Minute

// start opens a house with the rooms red, green, blue and white; the end of the test closes it.
func start(t *testing.T, c understudy.Config, events *supervisor.Hub) *house {
	t.Helper()
	c.Listen, c.Deadline = []string{"tcp://127.0.0.1:0"}, patience
	h, err := open(t.Context(), c, events, "red", "green", "blue", "white")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.close(ctx); err != nil {
			t.Error(err)
		}
	})
	return h
}

// guest is a client. heard is called with what is said, one message after the other.
type guest struct {
	*client.Client
	t   *testing.T
	ctx context.Context
}

func (h *house) guest(t *testing.T, heard func(*wire.Spoken)) *guest {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	c, err := client.Dial[*wire.Request, *wire.Reply](ctx, h.server.URLs()[0], client.Options{
		Pushes:  []client.Push{client.OnPush(func(_ context.Context, m *wire.Spoken) { heard(m) })},
		Retries: -1, PushStall: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		cancel()
	})
	return &guest{c, t, ctx}
}

func (g *guest) join(room, name string) {
	g.t.Helper()
	if _, err := client.Call[wire.Joined](g.ctx, g.Client, &wire.Join{Room: room, Name: name}); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guest) leave(room string) {
	g.t.Helper()
	if _, err := client.Call[wire.Left](g.ctx, g.Client, &wire.Leave{Room: room}); err != nil {
		g.t.Error(err)
	}
}

func (g *guest) say(room, text string) *wire.Said {
	g.t.Helper()
	said, err := client.Call[wire.Said](g.ctx, g.Client, &wire.Say{Room: room, Text: text})
	if err != nil {
		g.t.Error(err)
	}
	return said
}

func deaf(*wire.Spoken) {}

// A thousand members in four rooms: every message reaches every member of its room exactly once, and each sender's in order.
func TestThousandMembers(t *testing.T) {
	const members, senders, each = 1000, 10, 4 // senders and messages in each room
	rooms := []string{"red", "green", "blue", "white"}
	const inRoom = members / 4
	const deliveries = 4 * senders * each * inRoom
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < 2*members+100 {
		t.Skipf("the process may have %d files", limit.Cur)
	}
	h := start(t, understudy.Config{}, nil)
	var left atomic.Int64
	left.Store(deliveries)
	done := make(chan struct{})
	guests := make([]*guest, members)
	for i := range guests {
		next := make(map[string]int) // of this member, by sender
		guests[i] = h.guest(t, func(m *wire.Spoken) {
			if want := fmt.Sprint(next[m.GetFrom()]); m.GetText() != want || m.GetRoom() != rooms[i%4] || m.GetMissed() != 0 {
				t.Errorf("member %d hears %v, want %s", i, m, want)
			}
			next[m.GetFrom()]++
			if left.Add(-1) == 0 {
				close(done)
			}
		})
		guests[i].join(rooms[i%4], fmt.Sprint("member-", i))
	}
	var wg sync.WaitGroup
	for i, g := range guests[:4*senders] {
		wg.Go(func() {
			for n := range each {
				if said := g.say(rooms[i%4], fmt.Sprint(n)); said.GetReached() != inRoom || said.GetSkipped() != 0 {
					t.Errorf("member %d, message %d: %v", i, n, said)
				}
			}
		})
	}
	wg.Wait()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%d messages have not arrived", left.Load())
	}
	// What went out once too often would have come before the reply, and is counted in any case.
	for i, g := range guests {
		wg.Go(func() { g.leave(rooms[i%4]) })
	}
	wg.Wait()
	if n := h.server.Counts().Pushed; n != deliveries {
		t.Errorf("%d messages were pushed, want %d", n, deliveries)
	}
}

// A member who does not read is skipped, and the others hear everything.
func TestMemberWhoDoesNotRead(t *testing.T) {
	h := start(t, understudy.Config{WindowBytes: 32 << 10, SendBuffer: 8 << 10}, nil)
	u, err := transport.ParseURL(h.server.URLs()[0])
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial(u.Network, u.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(8 << 10); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := protodelim.MarshalTo(conn, &wire.Request{Kind: &wire.Request_Join{Join: &wire.Join{Room: "red", Name: "deaf"}}}); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	if m := new(wire.Reply); protodelim.UnmarshalFrom(in, m) != nil || m.GetJoined() == nil {
		t.Fatalf("got %v", m)
	}

	heard := make(chan string, 1)
	listener := h.guest(t, func(m *wire.Spoken) { heard <- m.GetText() })
	talker := h.guest(t, deaf)
	listener.join("red", "listener")
	talker.join("red", "talker")
	say := func(i uint64) *wire.Said {
		text := fmt.Sprint(i, " ", strings.Repeat("-", 1<<10))
		said := talker.say("red", text)
		select {
		case got := <-heard:
			if got != text {
				t.Errorf("message %d: got %.10s", i, got)
			}
		case <-time.After(patience):
			t.Fatalf("message %d does not reach the one who reads", i)
		}
		return said
	}
	sent, skipped := uint64(0), uint64(0)
	for ; skipped < 100; sent++ {
		said := say(sent)
		if said.GetReached()+said.GetSkipped() != 3 {
			t.Fatalf("message %d: %v", sent, said)
		}
		skipped += uint64(said.GetSkipped())
		if sent > 100_000 {
			t.Fatal("nobody is ever skipped")
		}
	}
	// Once it reads again, it hears what was kept for it, in order, and how many it has missed in between: a message's number is
	// how many came before it and how many did not. When all that was kept is read, the talker goes on until one gets through.
	for got, missed := uint64(0), uint64(0); missed < skipped; got++ {
		if got+skipped == sent {
			for ; say(sent).GetSkipped() > 0; sent++ {
				skipped++
			}
			sent++
		}
		m := new(wire.Reply)
		if err := protodelim.UnmarshalFrom(in, m); err != nil {
			t.Fatal(err)
		}
		missed += m.GetSpoken().GetMissed()
		if !strings.HasPrefix(m.GetSpoken().GetText(), fmt.Sprint(got+missed, " ")) {
			t.Fatalf("after %d messages and %d missed: got %.10s", got, missed, m.GetSpoken().GetText())
		}
	}
}

// Who leaves, and whose connection ends, is no member any more.
func TestMembersGo(t *testing.T) {
	h := start(t, understudy.Config{}, nil)
	stays, leaves, vanishes := h.guest(t, deaf), h.guest(t, deaf), h.guest(t, deaf)
	stays.join("red", "stays")
	leaves.join("red", "leaves")
	vanishes.join("red", "vanishes")
	vanishes.join("blue", "vanishes")
	if said := stays.say("red", "hello"); said.GetReached() != 3 {
		t.Errorf("got %v", said)
	}
	leaves.leave("red")
	if said := stays.say("red", "hello"); said.GetReached() != 2 {
		t.Errorf("got %v", said)
	}
	if _, err := client.Call[wire.Said](leaves.ctx, leaves.Client, &wire.Say{Room: "red", Text: "?"}); !errors.Is(err, messages.FailedPrecondition) {
		t.Errorf("got %v", err)
	}
	vanishes.Close()
	// The server hears of it when it hears of it; then both rooms do, and a new member's number is what tells.
	for end := time.Now().Add(patience); ; {
		red, err := client.Call[wire.Joined](leaves.ctx, leaves.Client, &wire.Join{Room: "red", Name: "leaves"})
		if err != nil {
			t.Fatal(err)
		}
		blue, err := client.Call[wire.Joined](leaves.ctx, leaves.Client, &wire.Join{Room: "blue", Name: "leaves"})
		if err != nil {
			t.Fatal(err)
		}
		leaves.leave("red")
		leaves.leave("blue")
		if red.GetMembers() == 2 && blue.GetMembers() == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("there are still %d and %d members", red.GetMembers(), blue.GetMembers())
		}
	}
}

// A room that crashes comes back with its members; who made it crash hears of it at once, and the other rooms hear nothing.
func TestRoomComesBackWithItsMembers(t *testing.T) {
	events := supervisor.NewHub()
	back := make(chan string, 10)
	defer events.Subscribe(0, func(e supervisor.Event) {
		if e.Kind == supervisor.Restarted {
			back <- e.Path
		}
	})()
	h := start(t, understudy.Config{}, events)
	heard := make(chan string, 100)
	var guests []*guest
	for i := range 10 {
		g := h.guest(t, func(m *wire.Spoken) { heard <- m.GetText() })
		g.join("red", fmt.Sprint("member-", i))
		guests = append(guests, g)
	}
	for round := range 3 {
		_, err := client.Call[wire.Said](guests[0].ctx, guests[0].Client, &wire.Say{Room: "red", Text: crash})
		if status := messages.StatusOf(err); err == nil || status.Code != messages.Internal || status.IncidentID == "" {
			t.Errorf("got %v", err)
		}
		text := fmt.Sprint("round ", round)
		if said := guests[1].say("red", text); said.GetReached() != 10 {
			t.Fatalf("got %v", said)
		}
		for range 10 {
			select {
			case got := <-heard:
				if got != text {
					t.Errorf("got %s, want %s", got, text)
				}
			case <-time.After(patience):
				t.Fatal("a member hears nothing")
			}
		}
		if path := <-back; path != "house/red" {
			t.Errorf("%s was restarted", path)
		}
	}
}

func TestRefusals(t *testing.T) {
	h := start(t, understudy.Config{}, nil)
	g := h.guest(t, deaf)
	g.join("red", "g")
	for _, c := range []struct {
		request interface{ GetRoom() string }
		want    messages.Code
	}{
		{&wire.Join{Room: "red", Name: "again"}, messages.AlreadyExists},
		{&wire.Join{Room: "cellar", Name: "g"}, messages.NotFound},
		{&wire.Join{Room: "blue"}, messages.InvalidArgument},
		{&wire.Join{Room: "blue", Name: strings.Repeat("n", maxName+1)}, messages.InvalidArgument},
		{&wire.Say{Room: "red", Text: strings.Repeat("t", maxText+1)}, messages.InvalidArgument},
		{&wire.Say{Room: "blue", Text: "t"}, messages.FailedPrecondition},
		{&wire.Leave{Room: "blue"}, messages.FailedPrecondition},
		{&wire.Leave{}, messages.NotFound},
	} {
		var err error
		switch m := c.request.(type) {
		case *wire.Join:
			_, err = client.Call[wire.Joined](g.ctx, g.Client, m)
		case *wire.Say:
			_, err = client.Call[wire.Said](g.ctx, g.Client, m)
		case *wire.Leave:
			_, err = client.Call[wire.Left](g.ctx, g.Client, m)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%T %v: got %v, want %v", c.request, c.request, err, c.want)
		}
	}
}

// terminal is somebody who has typed chat join red NAME.
type terminal struct {
	in  *io.PipeWriter
	out *bufio.Reader
	end chan error
}

func newTerminal(t *testing.T, url, name string) terminal {
	in, typed := io.Pipe()
	printed, out := io.Pipe()
	term := terminal{typed, bufio.NewReader(printed), make(chan error, 1)}
	go func() {
		err := join(t.Context(), url, "red", name, in, out)
		out.Close()
		term.end <- err
	}()
	return term
}

func (term terminal) line(t *testing.T) string {
	t.Helper()
	line, err := term.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\n")
}

func (term terminal) want(t *testing.T, line string) {
	t.Helper()
	if got := term.line(t); got != line {
		t.Fatalf("got %q, want %q", got, line)
	}
}

// leave ends the input. What else is printed is read, or it would be waited for.
func (term terminal) leave(t *testing.T) {
	t.Helper()
	term.in.Close()
	if _, err := io.Copy(io.Discard, term.out); err != nil {
		t.Error(err)
	}
	if err := <-term.end; err != nil {
		t.Error(err)
	}
}

// As README.md has it: two terminals that have joined.
func TestCommands(t *testing.T) {
	h := start(t, understudy.Config{}, nil)
	ann := newTerminal(t, h.server.URLs()[0], "ann")
	fmt.Fprintln(ann.in, "anyone here?")
	ann.want(t, "ann: anyone here?")
	bob := newTerminal(t, h.server.URLs()[0], "bob")
	fmt.Fprintln(bob.in, "me")
	ann.want(t, "bob: me")
	bob.want(t, "bob: me")
	fmt.Fprintln(bob.in, crash)
	if line := bob.line(t); !strings.Contains(line, "INTERNAL") {
		t.Errorf("got %s", line)
	}
	fmt.Fprintln(bob.in, "still here")
	ann.want(t, "bob: still here")
	bob.want(t, "bob: still here")
	ann.leave(t)
	bob.leave(t)
}

// A server that goes and comes back finds its guests joined again.
func TestGuestsJoinAgain(t *testing.T) {
	c := understudy.Config{Listen: []string{"unix://" + t.TempDir() + "/chat"}}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var ann terminal
	for round := range 3 {
		h, err := open(ctx, c, nil, "red")
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			ann = newTerminal(t, h.server.URLs()[0], "ann")
		}
		// Until it has joined again, it is told why not.
		for text := fmt.Sprint("round ", round); ; {
			fmt.Fprintln(ann.in, text)
			line := ann.line(t)
			if line == "ann: "+text {
				break
			}
			if !strings.Contains(line, "UNAVAILABLE") && !strings.Contains(line, "FAILED_PRECONDITION") {
				t.Fatalf("got %q", line)
			}
		}
		if round == 2 {
			ann.leave(t)
		}
		if err := h.close(ctx); err != nil {
			t.Error(err)
		}
	}
}
