package client

import (
	"context"
	"net"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// Client is one connection to a server. All of its methods may be called from any goroutine at any time. It has two
// goroutines of its own, one that writes and one that reads, until the connection ends or Close is called.
type Client struct {
	conn     net.Conn
	url      string
	framing  transport.Framing
	maxFrame int

	slots   chan struct{}  // holds one for each request in flight; all get free when the connection ends
	pending chan *call     // the requests in flight, in the order they are sent; slots keeps it from being full
	kick    chan struct{}  // tells the writer that there is something in out
	ended   chan struct{}  // closed when err is set, for the writer
	wg      sync.WaitGroup // the writer and the reader

	mu     sync.Mutex // guards what follows, and makes out's order that of pending
	out    []byte     // frames that the writer has not taken
	unsent int        // how many frames are in out
	err    error      // why the connection takes no more requests; nil while it does
}

// call is a request in flight.
type call struct {
	done chan outcome // takes the one outcome without blocking, whether anyone still waits or not
}

// outcome is how a call ended: with a reply, or with an error that is a *messages.Status.
type outcome struct {
	reply *messages.ServerMessage
	err   error
}

// start makes a Client of a connection and starts its goroutines.
func start(conn net.Conn, url string, framing transport.Framing, maxFrame int) *Client {
	c := &Client{
		conn:     conn,
		url:      url,
		framing:  framing,
		maxFrame: maxFrame,
		slots:    make(chan struct{}, MaxInFlight),
		pending:  make(chan *call, MaxInFlight),
		kick:     make(chan struct{}, 1),
		ended:    make(chan struct{}),
	}
	c.wg.Go(c.write)
	c.wg.Go(c.read)
	return c
}

// Call sends a request and waits for its reply. Its error is a *[messages.Status]:
//   - what the server answered, if that was an error;
//   - Canceled or DeadlineExceeded, which match the context's own errors too, if ctx ended first; the reply is dropped when it
//     comes, and until then the request counts as one in flight;
//   - Unavailable, if the connection has ended or ends before the reply;
//   - InvalidArgument or ResourceExhausted, if m cannot be sent: it has no arm, does not encode, or is over Options.MaxFrame;
//   - Internal, if the reply does not decode or has no known arm.
//
// NotStarted is set in it if the request was surely not sent. If [MaxInFlight] requests are in flight, Call waits until one is
// answered. It does not keep or change m.
func (c *Client) Call(ctx context.Context, m *messages.ClientMessage) (*messages.ServerMessage, error) {
	if err := ctx.Err(); err != nil {
		return nil, gaveUp(err, true)
	}
	payload, err := c.encode(m)
	if err != nil {
		return nil, err
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, gaveUp(ctx.Err(), true)
	}
	sent, ok := c.send(payload)
	if !ok {
		<-c.slots
		return nil, c.unavailable(true)
	}
	select {
	case o := <-sent.done:
		return o.reply, o.err
	case <-ctx.Done():
	}
	select {
	case o := <-sent.done: // it came all the same
		return o.reply, o.err
	default:
		return nil, gaveUp(ctx.Err(), false)
	}
}

// Close ends the connection at once, waits until the Client's goroutines are gone, and returns nil. Calls that are waiting
// get Unavailable. It may be called more than once.
func (c *Client) Close() error {
	c.end(net.ErrClosed)
	_ = c.conn.Close() // whether it was closed already makes no difference to the caller
	c.wg.Wait()
	return nil
}

// encode returns m without the framing's header.
func (c *Client) encode(m *messages.ClientMessage) ([]byte, error) {
	refuse := func(code messages.Code, message string, cause error) error {
		return &messages.Status{Code: code, Op: "call", Message: message, Cause: cause, NotStarted: true}
	}
	// Unframed, an empty message would be no request and an unknown field would be one more: every later reply would go to the
	// wrong call.
	if m.GetMessage() == nil {
		return nil, refuse(messages.InvalidArgument, "the request is empty", nil)
	}
	if c.framing == transport.Unframed && len(m.ProtoReflect().GetUnknown()) > 0 {
		return nil, refuse(messages.InvalidArgument, "the request has unknown fields, which cannot be sent unframed", nil)
	}
	payload, err := proto.Marshal(m)
	if err != nil {
		return nil, refuse(messages.InvalidArgument, "the request does not encode", err)
	}
	if len(payload) > c.maxFrame {
		return nil, refuse(messages.ResourceExhausted, tooLarge(len(payload), c.maxFrame), nil)
	}
	return payload, nil
}

// send puts a request in line for the writer. It is not ok if the connection takes no more.
func (c *Client) send(payload []byte) (sent *call, ok bool) {
	sent = &call{done: make(chan outcome, 1)}
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return nil, false
	}
	c.out = append(c.framing.AppendHeader(c.out, len(payload)), payload...)
	c.unsent++
	c.pending <- sent
	c.mu.Unlock()
	select {
	case c.kick <- struct{}{}:
	default: // the writer has been told
	}
	return sent, true
}

// end lets the connection take no more requests. The first reason stays.
func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.ended)
	}
}
