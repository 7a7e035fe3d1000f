package understudy_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/internal/foreign"
	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/proto"
)

func tagged(id int64, text string) *foreign.Tagged {
	return &foreign.Tagged{Id: id, Kind: &foreign.Tagged_Upper{Upper: &foreign.Text{Value: text}}}
}

// taggedResult reads a reply that carries an id.
func (p *peer) taggedResult() *foreign.TaggedResult {
	p.t.Helper()
	b, err := p.nextFrame()
	if err != nil {
		p.t.Fatal(err)
	}
	r := new(foreign.TaggedResult)
	if err := proto.Unmarshal(b, r); err != nil {
		p.t.Fatal(err)
	}
	return r
}

// A reply repeats its request's id, and leaves as soon as it is there: the second request is answered while the first is
// held, over and over.
func TestRequestIDs(t *testing.T) {
	gate := make(chan struct{})
	s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
	s.RequestID("id")
	understudy.Handle(s, func(ctx context.Context, in *foreign.Text) (*foreign.Text, error) {
		if in.Value == "held" {
			select {
			case <-gate:
			case <-ctx.Done():
			}
		}
		return upper(ctx, in)
	}, understudy.Slow())
	h := serve(t, understudy.Config{Service: s})
	p := h.dial()
	p.send(append(p.frame(tagged(-1, "held")), p.frame(tagged(7, "goes"))...)...)
	for i := range int64(100) {
		if i > 0 {
			p.send(p.frame(tagged(7+i, "goes"))...)
		}
		if r := p.taggedResult(); r.Id != 7+i || r.GetUpper().GetValue() != "GOES" {
			t.Fatalf("got %v for request %d", r, 7+i)
		}
	}
	// The id of the first is in flight, and no other is.
	p.send(append(p.frame(tagged(-1, "again")), p.frame(tagged(7, "once more"))...)...)
	for range 2 {
		switch r := p.taggedResult(); r.Id {
		case -1:
			if e := r.GetError(); messages.Code(e.GetCode()) != messages.AlreadyExists || !e.GetNotStarted() {
				t.Errorf("an id in flight: %v", r)
			}
		case 7:
			if r.GetUpper().GetValue() != "ONCE MORE" {
				t.Errorf("an id that is free: %v", r)
			}
		default:
			t.Errorf("nobody asked for %v", r)
		}
	}
	close(gate)
	if r := p.taggedResult(); r.Id != -1 || r.GetUpper().GetValue() != "HELD" {
		t.Errorf("the first, at last: %v", r)
	}
	p.send(p.frame(tagged(-1, "free"))...)
	if r := p.taggedResult(); r.Id != -1 || r.GetUpper().GetValue() != "FREE" {
		t.Errorf("after its reply an id is free: %v", r)
	}
}

func TestBadRequestIDs(t *testing.T) {
	s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
	s.RequestID("id")
	understudy.Handle(s, upper)
	h := serve(t, understudy.Config{Service: s})
	for _, tt := range []struct {
		name  string
		frame []byte
		id    int64
		code  messages.Code
	}{
		{"none", h.dial().frame(tagged(0, "x")), 0, messages.InvalidArgument},
		{"an arm that nobody handles", h.dial().frame(&foreign.Tagged{Id: 5, Kind: &foreign.Tagged_Twice{Twice: &foreign.Number{}}}), 5, messages.Unimplemented},
		{"no arm", h.dial().frame(&foreign.Tagged{Id: 6}), 6, messages.InvalidArgument},
		{"an inner message that does not decode", []byte("\x07\xa0\x01\x0e\x0a\x02\x0a\x05"), 7, messages.InvalidArgument},
		{"an envelope that does not decode", []byte("\x05\xa0\x01\x10\x0a\x05"), 8, messages.InvalidArgument},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := h.dial()
			p.send(append(tt.frame, p.frame(tagged(9, "next"))...)...)
			var seen []int64
			for range 2 {
				r := p.taggedResult()
				seen = append(seen, r.Id)
				if r.Id == tt.id && messages.Code(r.GetError().GetCode()) != tt.code {
					t.Errorf("got %v, want %v", r, tt.code)
				}
			}
			if seen[0]+seen[1] != tt.id+9 {
				t.Errorf("replies to %v", seen)
			}
		})
	}
}

// Requests with ids over many connections, whose handlers crash, stall and are slow: each id has one reply.
func TestRequestIDsUnderFaults(t *testing.T) {
	const connections, each, depth = 20, 2000, 100
	s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
	s.RequestID("id")
	understudy.Handle(s, twice)
	h := serve(t, understudy.Config{
		Service: s, Workers: 8, MaxWorkers: 32, Window: depth,
		Faults: []string{"panic worker/* p=0.01 seed=1", "slow worker/* p=0.001 delay=80ms seed=2", "panic session/* every=50ms seed=3"},
	})
	var crashed atomic.Int64
	var wg sync.WaitGroup
	for range connections {
		p := h.dial()
		wg.Go(func() {
			inFlight := map[int64]bool{}
			sent := int64(0)
			for range each {
				var out []byte
				for len(inFlight) < depth && sent < each {
					sent++
					inFlight[sent] = true
					out = append(out, p.frame(&foreign.Tagged{Id: sent, Kind: &foreign.Tagged_Twice{Twice: &foreign.Number{Value: sent}}})...)
				}
				if _, err := p.Write(out); err != nil {
					t.Error(err)
					return
				}
				b, err := p.nextFrame()
				r := new(foreign.TaggedResult)
				if err == nil {
					err = proto.Unmarshal(b, r)
				}
				if err != nil {
					t.Error(err)
					return
				}
				if !inFlight[r.Id] {
					t.Errorf("a second reply, or one that nobody asked for: %v", r)
				}
				delete(inFlight, r.Id)
				if e := r.GetError(); e != nil && messages.Code(e.Code) == messages.Internal && e.IncidentId != "" {
					crashed.Add(1)
				} else if r.GetTwice().GetValue() != 2*r.Id {
					t.Errorf("got %v", r)
				}
			}
		})
	}
	wg.Wait()
	if got := h.Counts().Crashes; got != crashed.Load() || got == 0 {
		t.Errorf("%d crashes, and %d errors", got, crashed.Load())
	}
}

func TestEnvelopeFields(t *testing.T) {
	s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
	s.RequestID("id")
	understudy.Handle(s, func(ctx context.Context, in *foreign.Text) (*foreign.Text, error) {
		e, ok := understudy.EnvelopeOf[*foreign.Tagged](ctx)
		if _, other := understudy.EnvelopeOf[*foreign.Call](ctx); !ok || other {
			return nil, messages.Internal
		}
		return &foreign.Text{Value: fmt.Sprintf("%s %d %s", e.Tenant, e.Id, in.Value)}, nil
	})
	h := serve(t, understudy.Config{Service: s})
	p := h.dial()
	m := tagged(-5, "x")
	p.send(p.frame(m)...)
	if r := p.taggedResult(); r.GetUpper().GetValue() != " -5 x" {
		t.Errorf("without a tenant: %v", r)
	}
	m.Tenant = "acme"
	p.send(p.frame(m)...)
	if r := p.taggedResult(); r.GetUpper().GetValue() != "acme -5 x" || r.Id != -5 {
		t.Errorf("with a tenant: %v", r)
	}
	if _, ok := understudy.EnvelopeOf[*foreign.Tagged](t.Context()); ok {
		t.Error("a context that is no request's has an envelope")
	}
}

// Without an arm for errors the connection ends at the first one: what came before it is answered, in order, and what came
// behind it is not, as its reply would be taken for that of the one that failed.
func TestNoErrorArm(t *testing.T) {
	s := understudy.NewService[*foreign.Bare, *foreign.Bare]()
	understudy.Handle(s, func(ctx context.Context, in *foreign.Text) (*foreign.Text, error) {
		switch in.Value {
		case "error":
			return nil, messages.NotFound
		case "panic":
			panic("on purpose")
		}
		return upper(ctx, in)
	})
	understudy.Handle(s, twice, understudy.Slow())
	h := serve(t, understudy.Config{Service: s, Workers: 4})
	text := func(v string) *foreign.Bare {
		return &foreign.Bare{Kind: &foreign.Bare_Upper{Upper: &foreign.Text{Value: v}}}
	}
	number := &foreign.Bare{Kind: &foreign.Bare_Twice{Twice: &foreign.Number{Value: 4}}}
	for _, bad := range []string{"error", "panic"} {
		t.Run(bad, func(t *testing.T) {
			p := h.dial()
			var all []byte
			for _, m := range []proto.Message{text("a"), number, text("b"), text(bad), text("c"), number, text("d")} {
				all = append(all, p.frame(m)...)
			}
			p.send(all...)
			var got []string
			for {
				b, err := p.nextFrame()
				if err == io.EOF {
					break
				}
				r := new(foreign.Bare)
				if err == nil {
					err = proto.Unmarshal(b, r)
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprint(r.GetUpper().GetValue(), r.GetTwice().GetValue()))
			}
			if strings.Join(got, " ") != "A0 8 B0" {
				t.Errorf("replies %q", got)
			}
		})
	}
	if c := h.stop().Counts; c.Answered != 6 || c.Dropped != 8 {
		t.Errorf("%d answered, %d dropped; want 6 and 8", c.Answered, c.Dropped)
	}
}

func TestEnvelopeMistakes(t *testing.T) {
	for want, c := range map[string]func() understudy.Config{
		"has no field nothing outside the oneof": func() understudy.Config {
			s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
			s.RequestID("nothing")
			return understudy.Config{Service: s}
		},
		"field tenant is a string, and an id must be an integer": func() understudy.Config {
			s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
			s.RequestID("tenant")
			return understudy.Config{Service: s}
		},
		"RequestID is called twice": func() understudy.Config {
			s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
			s.RequestID("id")
			s.RequestID("id")
			return understudy.Config{Service: s}
		},
		"cannot be told apart without frames": func() understudy.Config {
			s := understudy.NewService[*foreign.Tagged, *foreign.TaggedResult]()
			return understudy.Config{Service: s, Listen: []string{"tcp://127.0.0.1:0?framing=unframed"}}
		},
	} {
		if _, err := understudy.New(c()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
