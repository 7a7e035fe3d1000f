// Package transport is what touches bytes: listen URLs, framings, pooled buffers, listeners, connections with a
// non-blocking write and an interruptible read, and the [Reader] that takes what a socket has in one read and cuts it
// into frames. It knows no actor and starts no goroutine: everything runs on the goroutine that calls it.
//
// The fast paths need a raw descriptor ([syscall.Conn]), which is an optional capability of a connection. Where there
// is none, as with TLS and net.Pipe, the same methods do the same with the connection's own Read and Write.
package transport
