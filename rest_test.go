package understudy_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/messages"
)

// resting is how many connections wait on a goroutine that has done nothing else.
func resting() int {
	all := make([]byte, 1<<20)
	return strings.Count(string(all[:runtime.Stack(all, true)]), ".(*Reader).Await(")
}

// Connections that are silent come to rest, are served again as soon as they speak, and drain.
func TestConnectionsAtRest(t *testing.T) {
	const connections = 20
	h := serve(t, understudy.Config{})
	var peers []*peer
	for range connections {
		peers = append(peers, h.dial())
	}
	for range 3 {
		until(t, "all rest", func() bool { return resting() == connections })
		for _, p := range peers {
			p.send(p.frame(echoRequest("x"))...)
		}
		for _, p := range peers {
			p.want(echoReply("x"))
		}
	}
	until(t, "all rest", func() bool { return resting() == connections })
	peers[0].Close()
	until(t, "one is gone", func() bool { return h.Status().Connections.Now == connections-1 })
	peers[1].send(peers[1].frame(echoRequest("y"))...)
	h.stop()
	peers[1].want(echoReply("y"))
	if n := resting(); n != 0 {
		t.Errorf("%d connections rest in a server that has stopped", n)
	}
	if n := h.Counts().Codes[messages.OK]; n != 3*connections+1 {
		t.Errorf("%d requests were served, want %d", n, 3*connections+1)
	}
}
