package understudy_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/internal/foreign"
	"github.com/understudy-go/understudy/messages"
)

type builtIn = understudy.Service[*messages.ClientMessage, *messages.ServerMessage]

func echo(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) { return in, nil }

// mistakes are those of the first table of docs/misuse.md, by their names there.
var mistakes = map[string]func(s *builtIn) understudy.Config{
	"a handler that is nil": func(s *builtIn) understudy.Config {
		understudy.Handle[*messages.ClientMessage, *messages.ServerMessage, messages.EchoMessage, messages.EchoMessage](s, nil)
		return understudy.Config{Service: s}
	},
	"a message without an arm": func(s *builtIn) understudy.Config {
		understudy.Handle(s, func(_ context.Context, in *foreign.Text) (*messages.EchoMessage, error) { return nil, nil })
		return understudy.Config{Service: s}
	},
	"two arms of the type, and no `Arm`": func(*builtIn) understudy.Config {
		s := understudy.NewService[*foreign.Call, *foreign.Result]()
		understudy.Handle(s, upper)
		return understudy.Config{Service: s}
	},
	"an arm handled twice": func(s *builtIn) understudy.Config {
		understudy.Handle(s, echo)
		understudy.Handle(s, echo)
		return understudy.Config{Service: s}
	},
	"a PID that is nil": func(s *builtIn) understudy.Config {
		understudy.HandleActor[messages.AddRequest](s, nil)
		return understudy.Config{Service: s}
	},
	"an option that is nil, or given twice": func(s *builtIn) understudy.Config {
		understudy.Handle(s, echo, nil)
		understudy.Handle(s, func(context.Context, *messages.AddRequest) (*messages.AddResponse, error) { return nil, nil },
			understudy.Arm("add_request"), understudy.Arm("add_request"))
		return understudy.Config{Service: s}
	},
	"`Slow`, `Idempotent`, `Key` or `With` for an actor": func(s *builtIn) understudy.Config {
		understudy.HandleActor[messages.AddRequest](s, actor.NewPID("nonhost", "a"), understudy.Slow())
		return understudy.Config{Service: s}
	},
	"middleware that is nil, or returns nil": func(s *builtIn) understudy.Config {
		s.Use(nil)
		understudy.Handle(s, echo, understudy.With(func(string, understudy.HandlerFunc) understudy.HandlerFunc { return nil }))
		return understudy.Config{Service: s}
	},
	"middleware that panics when it is put around a handler": func(s *builtIn) understudy.Config {
		s.Use(func(string, understudy.HandlerFunc) understudy.HandlerFunc { panic("no such user") })
		understudy.Handle(s, echo)
		_, _ = understudy.New(understudy.Config{Service: s}) // the second time it is as wrong as the first
		return understudy.Config{Service: s}
	},
	"middleware for all, and an actor that it does not stand around": func(s *builtIn) understudy.Config {
		s.Use(passOn)
		understudy.HandleActor[messages.AddRequest](s, actor.NewPID("nonhost", "a"))
		return understudy.Config{Service: s}
	},
	"a hook that is nil, or given twice": func(s *builtIn) understudy.Config {
		s.OnOpened(nil)
		s.OnClosed(func(*understudy.Session) {})
		s.OnClosed(func(*understudy.Session) {})
		return understudy.Config{Service: s}
	},
	"a request id that is no integer": func(*builtIn) understudy.Config {
		s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
		s.RequestID("tenant")
		return understudy.Config{Service: s}
	},
	"a service that was not made by `NewService`": func(*builtIn) understudy.Config {
		return understudy.Config{Service: new(builtIn)}
	},
	"envelopes with fields outside their oneof, unframed": func(*builtIn) understudy.Config {
		s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
		return understudy.Config{Service: s, Listen: []string{"tcp://127.0.0.1:0?framing=unframed"}}
	},
}

// row is one of a table in docs/misuse.md.
var row = regexp.MustCompile(`(?m)^\| (.+?) \| (.+?) \|(?: (.+?) \|)?$`)

// The documentation of what is told by New is what is told, and the tests that it names are there.
func TestMisuse(t *testing.T) {
	text, err := os.ReadFile("docs/misuse.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources []byte
	files, _ := filepath.Glob("*_test.go")
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source...)
	}
	told := map[string]bool{}
	for _, r := range row.FindAllStringSubmatch(string(text), -1) {
		if r[1] == "mistake" || strings.HasPrefix(r[1], "---") {
			continue
		}
		if r[3] != "" {
			for _, name := range regexp.MustCompile("`Test[A-Za-z]+`").FindAllString(r[3], -1) {
				if !strings.Contains(string(sources), "\nfunc "+strings.Trim(name, "`")+"(") {
					t.Errorf("%s: there is no test %s", r[1], name)
				}
			}
			continue
		}
		f := mistakes[r[1]]
		if f == nil {
			t.Errorf("%q is not tested", r[1])
			continue
		}
		told[r[1]] = true
		_, err := understudy.New(f(understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()))
		for _, quote := range regexp.MustCompile("`[^`]+`").FindAllString(r[2], -1) {
			for part := range strings.SplitSeq(strings.Trim(quote, "`"), "…") {
				if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(part)) {
					t.Errorf("%s: New says %v, and not %q", r[1], err, part)
				}
			}
		}
	}
	if len(told) != len(mistakes) {
		t.Errorf("%d mistakes are tested, %d documented", len(mistakes), len(told))
	}
}

// A handler that borrows and does not return has its message for as long as it likes, while others use theirs.
func TestMisuseBlockingBorrower(t *testing.T) {
	release, saw := make(chan struct{}), make(chan string, 1)
	s := understudy.NewService[*messages.ClientMessage, *messages.ServerMessage]()
	understudy.Handle(s, func(ctx context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) {
		if strings.HasPrefix(in.Content, "block") {
			<-release
			saw <- in.Content
		}
		return in, nil
	}, understudy.Borrowing(), understudy.Deadline(50*time.Millisecond))
	h := serve(t, understudy.Config{Service: s, Stall: 5 * time.Millisecond})
	p, other := h.dial(), h.dial()
	p.send(append(p.frame(echoRequest("block me")), p.frame(echoRequest("behind it"))...)...)
	p.want(errorReply(messages.DeadlineExceeded))
	p.want(echoReply("behind it"))
	for range 1000 {
		other.send(other.frame(echoRequest("something else"))...)
		other.want(echoReply("something else"))
	}
	close(release)
	if got := <-saw; got != "block me" {
		t.Errorf("while it was blocked its message became %q", got)
	}
}
