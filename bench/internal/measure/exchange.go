package measure

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/understudy-go/understudy/internal/load"
	"github.com/understudy-go/understudy/transport"
)

// exchangeTimeout is how long a connection may take to be answered.
const exchangeTimeout = 10 * time.Second

// exchanges are a few distinct bursts of echoes with the replies to expect, encoded in advance.
type exchanges []struct{ requests, replies []byte }

// newExchanges makes n bursts of depth echoes of size bytes.
func newExchanges(n, depth, size int, seed uint64) exchanges {
	protocol := load.EchoAdd(transport.Delimited, load.Mix{Echo: 1, Size: load.Sizes{Least: size, Most: size}})
	random := rand.New(rand.NewPCG(seed, 0))
	all := make(exchanges, n)
	for i := range all {
		e := &all[i]
		for j := range depth {
			e.requests, e.replies = protocol.Exchange(i*depth+j, random, e.requests, e.replies)
		}
	}
	return all
}

// finish half-closes a connection, and checks that nothing comes any more: a byte would be a reply to nothing.
func finish(nc net.Conn) error {
	if err := nc.SetDeadline(time.Now().Add(exchangeTimeout)); err != nil {
		return err
	}
	if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	var b [1]byte
	if n, err := nc.Read(b[:]); n > 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("after the last reply comes %q (%w), and the end belongs there", b[:n], err)
	}
	return nil
}

// exchange sends burst number i, and reads and checks the replies. buf is for the replies, and is returned to be used again.
func (e exchanges) exchange(nc net.Conn, i int, buf []byte) ([]byte, error) {
	burst := &e[i%len(e)]
	if err := nc.SetDeadline(time.Now().Add(exchangeTimeout)); err != nil {
		return buf, err
	}
	if _, err := nc.Write(burst.requests); err != nil {
		return buf, err
	}
	if cap(buf) < len(burst.replies) {
		buf = make([]byte, len(burst.replies))
	}
	buf = buf[:len(burst.replies)]
	if n, err := io.ReadFull(nc, buf); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return buf, fmt.Errorf("after %d of %d bytes of replies: %w", n, len(buf), err)
	}
	if !bytes.Equal(buf, burst.replies) {
		return buf, fmt.Errorf("wrong replies: %.100q, and %.100q belong there", buf, burst.replies)
	}
	return buf, nil
}
