package rpcload

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/understudy-go/understudy/messages"
)

// minSize is how short the contents may be and still be distinct.
const minSize = 16

// contents makes the requests of one loop, each with another content, and checks that replies come in their order.
type contents struct {
	prefix string
	size   int
	sent   uint64
	due    uint64
	text   []byte
}

// newContents makes contents of size bytes that no other loop makes.
func newContents(loop, size int) *contents {
	return &contents{prefix: strconv.Itoa(loop) + "/", size: size}
}

// fill writes content n.
func (c *contents) fill(n uint64) {
	c.text = strconv.AppendUint(append(c.text[:0], c.prefix...), n, 10)
	for len(c.text) < c.size {
		c.text = append(c.text, padding[:min(len(padding), c.size-len(c.text))]...)
	}
}

var padding = strings.Repeat(".", 4<<10)

// request returns the next request.
func (c *contents) request() *messages.ClientMessage {
	c.fill(c.sent)
	c.sent++
	return &messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: string(c.text)}}}
}

// check says whether the next reply is the one that belongs there.
func (c *contents) check(m *messages.ServerMessage) error {
	c.fill(c.due)
	c.due++
	if got := m.GetEchoMessage().GetContent(); got != string(c.text) {
		return fmt.Errorf("wrong reply: %q, and %q belongs there", got, c.text)
	}
	return nil
}
