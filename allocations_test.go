package understudy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// The whole path, from the socket and back to it, allocates nothing for handlers that borrow. For those that own it is the
// message and its string a request, and a context a burst.
func TestPathAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has pools drop what they are given, and allocates itself")
	}
	owning := func(_ context.Context, in *messages.EchoMessage) (*messages.EchoMessage, error) { return in, nil }
	for _, test := range []struct {
		name     string
		depth    int
		adds     bool
		service  understudy.Handlers
		recorded float64 // a burst
	}{
		{"borrowing", 1, false, nil, 0},
		{"borrowing", 16, false, nil, 0},
		{"borrowing", 128, false, nil, 0},
		{"borrowing, adds", 128, true, nil, 0},
		{"owning", 1, false, echoService(owning), 2 + 1},
		{"owning", 128, false, echoService(owning), 2*128 + 1},
	} {
		t.Run(fmt.Sprintf("%s/%d", test.name, test.depth), func(t *testing.T) {
			h := serve(t, understudy.Config{Service: test.service})
			p := h.dial()
			request, reply := p.frame(echoRequest("thirty-two bytes of an echo text")), p.frame(echoReply("thirty-two bytes of an echo text"))
			if test.adds {
				request, reply = p.frame(addRequest(40, 2)), p.frame(addReply(42))
			}
			burst, want := bytes.Repeat(request, test.depth), bytes.Repeat(reply, test.depth)
			back := make([]byte, len(want))
			round := func() {
				if _, err := p.Write(burst); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(p.Conn, back); err != nil {
					t.Fatal(err)
				}
			}
			for range 100 {
				round() // what is allocated once
			}
			if n := testing.AllocsPerRun(500, round); n > test.recorded {
				t.Errorf("%v allocations a burst, and %v are recorded", n, test.recorded)
			}
			if !bytes.Equal(back, want) {
				t.Error("the replies are wrong")
			}
			p.Close()
		})
	}
}
