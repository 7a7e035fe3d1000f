package understudy

import "math"

// What a connection, a request and a handler cost in memory besides the bytes of requests and replies; upper bounds,
// measured: an idle connection has 5 KiB, a burst of a single request half a KiB.
const (
	connectionMemory = 16 << 10
	requestMemory    = 1 << 10
	handlerMemory    = 64 << 10 // mostly the goroutine's stack
	serverMemory     = 16 << 20
)

// errorReply is the size of the largest reply that the server writes by itself: an error with an incident id.
const errorReply = 128

// MemoryCeiling returns how many bytes of memory a server with this configuration may use at most, with Go's default of
// GOGC=100, whatever its clients do; more than an int64 holds is the largest int64. largestReply is the size in bytes of the
// largest reply that a handler gives; 0 means that no reply is larger than its request and 128 bytes, as with Echo and Add. What
// handlers allocate besides the message they get and the reply they give, up to twice the size on the wire for each, comes on
// top, and so do what is pushed and what waits in the mailboxes of actors. c must be one that [Config.Validate] accepts; zero
// fields are taken as their defaults. It computes, and looks at no server.
//
// It is a bound and no forecast: every connection would have to send the largest requests, and never to read. The formula,
// with what each term stands for, is in docs/configuration.md.
func (c Config) MemoryCeiling(largestReply int) int64 {
	c = c.withDefaults()
	read := int64(max(c.ReadBuffer, c.MaxFrame+16))
	requests := int64(c.WindowBytes) + read
	reply := int64(largestReply)
	replies := int64(c.Window) * max(reply, errorReply)
	if largestReply == 0 {
		replies = requests + int64(c.Window)*errorReply
		reply = read + errorReply
	}
	connection := connectionMemory + read + 2*requests + int64(c.Window)*requestMemory + 2*replies + 2*int64(c.WriteBuffer)
	handler := handlerMemory + 4*read + 4*reply + int64(c.WriteBuffer)
	// Handlers of a kind are refused once MaxDetached have stalled, but as many of it may be running by then as there are workers.
	handlers := int64(c.MaxDetached) + int64(c.MaxWorkers)*int64(1+c.Service.kinds())
	return saturated(2*float64(serverMemory), 2*float64(c.MaxConnections)*float64(connection), 2*float64(handlers)*float64(handler))
}

// saturated is the sum of some bytes, or the largest number there is.
func saturated(terms ...float64) int64 {
	sum := 0.0
	for _, t := range terms {
		sum += t
	}
	if sum >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(sum)
}
