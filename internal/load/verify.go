package load

import (
	"bytes"
	"fmt"

	"github.com/understudy-go/understudy/messages"
)

// receive compares what came with what is due. It tells whether the connection can go on.
func (l *loop) receive(c *conn, b []byte, now int64) bool {
	d := l.deck
	if end := c.at + len(b); !c.slow && end <= d.replyAt[c.first+c.inflight] && bytes.Equal(d.replies[c.at:end], b) {
		c.at = end
		if n := d.complete(c.first, c.inflight, end); n > 0 {
			l.settle(c, n, now)
		}
		return true
	}
	return l.examine(c, b, now)
}

// examine looks at the replies one by one, until the bytes are again those that are due.
func (l *loop) examine(c *conn, b []byte, now int64) bool {
	d := l.deck
	if !c.slow {
		c.slow = true
		c.held = append(c.held[:0], d.replies[d.replyAt[c.first]:c.at]...) // what had come of it was as expected
	}
	c.held = append(c.held, b...)
	rest := c.held
	for len(rest) > 0 {
		n, err := l.protocol.Cut(rest)
		if err != nil {
			l.tally.wrong++
			l.problem("connection %d: reply %d cannot be cut: %v", c.number, c.count, err)
			l.lose(c, nil)
			return false
		}
		if n == 0 {
			break
		}
		if c.inflight == 0 {
			l.tally.surplus++
			l.problem("connection %d: a reply after reply %d, the last one: %s", c.number, c.count-1, shown(rest[:n]))
			l.lose(c, nil)
			return false
		}
		l.judge(c, rest[:n])
		rest = rest[n:]
		l.settle(c, 1, now)
	}
	due := d.replyAt[c.first]
	if due+len(rest) <= d.replyAt[c.first+c.inflight] && bytes.HasPrefix(d.replies[due:], rest) {
		c.at, c.slow = due+len(rest), false
		if cap(c.held) > len(l.buf) {
			c.held = nil
		}
		return true
	}
	c.held = append(c.held[:0], rest...) // both begin in the same memory, and append copies as if they did not
	return true
}

// judge counts what is wrong with the reply that came for exchange c.first.
func (l *loop) judge(c *conn, got []byte) {
	want := l.deck.reply(c.first)
	if bytes.Equal(got, want) {
		return
	}
	verdict, code := l.protocol.Judge(got, want)
	switch verdict {
	case Right:
	case Failed:
		if !l.measured(c.bursts.first().stamp) {
			return
		}
		l.tally.failed++
		if code < 0 || code >= messages.Codes {
			code = messages.Codes
		}
		l.tally.codes[code]++
	default:
		if _, known := l.deck.places()[string(got)]; known {
			l.tally.misplaced++
			l.problem("connection %d: reply %d is another request's: got %s, want %s", c.number, c.count, shown(got), shown(want))
			return
		}
		l.tally.wrong++
		l.problem("connection %d: reply %d is wrong: got %s, want %s", c.number, c.count, shown(got), shown(want))
	}
}

// shown quotes the start of a reply.
func shown(b []byte) string {
	const most = 48
	if len(b) <= most {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%q… (%d bytes)", b[:most], len(b))
}
