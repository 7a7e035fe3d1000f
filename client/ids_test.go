package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/client/internal/wire"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// With request ids replies find their calls in any order.
func TestRepliesOutOfOrder(t *testing.T) {
	const n = 50
	for _, framing := range []transport.Framing{transport.Delimited, transport.Length32} {
		c := dialWire(t, serve(t, "tcp", framing, func(p *peer) {
			for {
				var replies [n][]byte
				for i := range replies {
					m := new(wire.Request)
					if !p.read(m) {
						return
					}
					if m.GetId() == 0 {
						t.Error("a request has no id")
					}
					replies[n-1-i] = p.frame(answer(m.GetId(), said(m)))
				}
				for _, reply := range replies {
					p.write(reply)
				}
			}
		}), client.Options{RequestID: "id"})
		for range 3 {
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() {
					if got, err := ask(t.Context(), c, fmt.Sprint(i)); err != nil || got != fmt.Sprint("ask ", i) {
						t.Errorf("%d: %q, %v", i, got, err)
					}
				})
			}
			wg.Wait()
		}
	}
}

// A call that is given up keeps its id until its reply comes, so the reply is nobody else's.
func TestLateReplyByID(t *testing.T) {
	arrived, release := make(chan uint32, 1), make(chan struct{})
	c := dialWire(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		late := new(wire.Request)
		p.read(late)
		arrived <- late.GetId()
		<-release
		m := new(wire.Request)
		p.read(m)
		p.write(p.frame(answer(late.GetId(), "late")))
		p.write(p.frame(answer(m.GetId(), said(m))))
		answerWire(p)
	}), client.Options{RequestID: "id"})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := ask(ctx, c, "late")
	wantStatus(t, err, messages.Canceled, false)
	close(release)
	if got, err := ask(t.Context(), c, "x"); err != nil || got != "ask x" {
		t.Errorf("%q, %v", got, err)
	}
	if n := c.Counts(); n.Late != 1 || n.Broken != 0 {
		t.Errorf("%+v", n)
	}
}

// Replies by ids that cannot be used cost one call each; those that are nobody's cost the connection.
func TestWrongRepliesByID(t *testing.T) {
	for name, c := range map[string]struct {
		reply func(id uint32) *wire.Reply
		code  messages.Code
		says  string
		goes  bool // the connection goes on
	}{
		"another kind":        {func(id uint32) *wire.Reply { return &wire.Reply{Kind: &wire.Reply_Note{}, Id: id} }, messages.Internal, "arm note", true},
		"no arm":              {func(id uint32) *wire.Reply { return &wire.Reply{Id: id} }, messages.Internal, "no known arm", true},
		"unknown arm":         {func(id uint32) *wire.Reply { return unknownArm(id) }, messages.Internal, "no known arm", true},
		"an error":            {func(id uint32) *wire.Reply { return wireError(id) }, messages.Aborted, "because", true},
		"an error without id": {func(uint32) *wire.Reply { return wireError(0) }, messages.Aborted, "because", false},
		"an id of nobody":     {func(id uint32) *wire.Reply { return answer(id+7, "") }, messages.Unavailable, "request id 8", false},
		"empty":               {func(uint32) *wire.Reply { return &wire.Reply{} }, messages.Internal, "no known arm", false},
	} {
		t.Run(name, func(t *testing.T) {
			to := dialWire(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
				m := new(wire.Request)
				if p.read(m); m.GetId() == 1 && said(m) == "ask wrong" {
					p.write(p.frame(c.reply(m.GetId())))
				} else {
					p.write(p.frame(answer(m.GetId(), said(m))))
				}
				answerWire(p)
			}), client.Options{RequestID: "id"})
			_, err := ask(t.Context(), to, "wrong")
			wantStatus(t, err, c.code, false)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %q", err, c.says)
			}
			if got, err := ask(t.Context(), to, "next"); err != nil || got != "ask next" {
				t.Errorf("%q, %v", got, err)
			}
			if n := to.Counts(); (n.Dials == 1) != c.goes {
				t.Errorf("%+v", n)
			}
		})
	}
}

func wireError(id uint32) *wire.Reply {
	s := &messages.Status{Code: messages.Aborted, Message: "because"}
	return &wire.Reply{Kind: &wire.Reply_Error{Error: s.Proto()}, Id: id}
}

func unknownArm(id uint32) *wire.Reply {
	m := &wire.Reply{Id: id}
	m.ProtoReflect().SetUnknown([]byte{14<<3 | 2, 0}) // field 14, no bytes
	return m
}

// A second reply to one request is nobody's.
func TestTwoReplies(t *testing.T) {
	c := dialWire(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		m := new(wire.Request)
		if p.read(m) && said(m) == "ask twice" {
			p.write(p.frame(answer(m.GetId(), "once")))
			p.read(m)
			p.write(p.frame(answer(m.GetId()-1, "twice")))
		}
		p.drain()
	}), client.Options{RequestID: "id"})
	if got, err := ask(t.Context(), c, "twice"); err != nil || got != "once" {
		t.Errorf("%q, %v", got, err)
	}
	_, err := ask(t.Context(), c, "x")
	wantStatus(t, err, messages.Unavailable, false)
	if !errors.Is(err, messages.Unavailable) || !strings.Contains(err.Error(), "without being asked") {
		t.Error(err)
	}
}

// An error without an id is about the request if there was one only; if there were more nobody knows, and all have to fail.
func TestErrorWithoutID(t *testing.T) {
	c := dialWire(t, serve(t, "tcp", transport.Delimited, func(p *peer) {
		for range 2 {
			p.read(new(wire.Request))
		}
		p.write(p.frame(wireError(0)))
		p.drain()
	}), client.Options{RequestID: "id"})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			_, err := ask(t.Context(), c, "x")
			wantStatus(t, err, messages.Unavailable, false)
			if !errors.Is(err, messages.Aborted) || !strings.Contains(err.Error(), "because") {
				t.Errorf("%v does not say why", err)
			}
		})
	}
	wg.Wait()
}

// The id counts towards the size of a request.
func TestSizeWithID(t *testing.T) {
	for text, refused := range map[string]bool{strings.Repeat("x", 10): false, strings.Repeat("x", 11): true} {
		// Tag and length of the arm, tag and length of the text, tag and five bytes of the id.
		c := dialWire(t, serve(t, "tcp", transport.Delimited, answerWire), client.Options{RequestID: "id", MaxFrame: 4 + 6 + 10})
		_, err := client.Call[wire.Answer](t.Context(), c, &wire.Ask{Text: text})
		if s := messages.StatusOf(err); (s != nil && s.NotStarted) != refused {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
}
