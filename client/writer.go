package client

import "time"

const (
	// keepBuffer is up to how many bytes a buffer is kept for the next use. A rare large message must not hold its memory.
	keepBuffer = 64 << 10

	// lastReplies is how long the reader may go on after a write has failed. What the server had answered until then is
	// there to be read; a broken connection ends the reading by itself much sooner.
	lastReplies = time.Second
)

// write is the writer's goroutine: it writes all that was put in line since its last write at once, until the connection
// ends.
func (c *Client) write() {
	var spare []byte
	for {
		select {
		case <-c.kick:
		case <-c.ended:
			return
		}
		c.mu.Lock()
		batch := c.out
		c.out, c.unsent = spare[:0], 0
		c.mu.Unlock()
		if len(batch) == 0 { // the last batch held it already
			spare = batch
			continue
		}
		if _, err := c.conn.Write(batch); err != nil {
			c.end(err)
			_ = c.conn.SetReadDeadline(time.Now().Add(lastReplies)) // fails only if the reader is done already
			return
		}
		if cap(batch) > keepBuffer {
			batch = nil
		}
		spare = batch
	}
}
