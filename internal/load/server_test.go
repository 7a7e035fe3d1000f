package load_test

import (
	"bufio"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/encoding/protowire"
)

// breakServer starts a server that does with each connection what serve does, on a goroutine of its own.
func breakServer(t testing.TB, serve func(net.Conn)) transport.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return parse(t, "tcp://"+l.Addr().String())
}

// answer starts a server that answers the n-th request of each connection with what reply returns. It is given the right
// reply: an echo's is its request. It closes the connection if reply is not ok.
func answer(t testing.TB, reply func(n int, right []byte) (out []byte, ok bool)) transport.URL {
	return answerInPieces(t, 1<<20, reply)
}

// answerInPieces writes so many bytes at once.
func answerInPieces(t testing.TB, size int, reply func(n int, right []byte) (out []byte, ok bool)) transport.URL {
	return breakServer(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		w := bufio.NewWriter(pieces{c, size})
		for n := 0; ; n++ {
			if r.Buffered() == 0 && w.Flush() != nil {
				return
			}
			frame, err := nextFrame(r)
			if err != nil {
				return
			}
			out, ok := reply(n, frame)
			w.Write(out)
			if !ok {
				w.Flush()
				return
			}
		}
	})
}

type pieces struct {
	w    io.Writer
	size int
}

func (p pieces) Write(b []byte) (n int, err error) {
	for piece := range slices.Chunk(b, p.size) {
		m, err := p.w.Write(piece)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

func nextFrame(r *bufio.Reader) ([]byte, error) {
	var frame []byte
	for {
		b, err := r.ReadByte()
		if err != nil {
			return nil, err
		}
		if frame = append(frame, b); b < 0x80 {
			break
		}
	}
	size, header := protowire.ConsumeVarint(frame)
	frame = append(frame, make([]byte, size)...)
	_, err := io.ReadFull(r, frame[header:])
	return frame, err
}
