// Package load puts a server under load and measures what it does: closed loops, where each connection keeps so many
// requests in flight, and open loops, where requests come at a rate whatever the server does. Every reply is compared
// with the one that belongs in its place.
//
// It is made to cost little, as it often shares the processors with the server. Requests and expected replies are
// encoded once, into a [Deck] of distinct exchanges that all connections walk through, each from a place of its own. So
// a burst of requests is one write of bytes that are there already, and a read that brought a burst of replies is one
// comparison of bytes. Connections are divided among a few threads, each with an epoll(7) of its own and no goroutine
// for a connection; nothing is allocated for a request. Linux only, and without TLS.
//
// Latency in an open loop counts from when a request was meant to be sent, not from when it was: a server that stalls
// is charged for those that had to wait to be sent (Gil Tene, "How NOT to Measure Latency": coordinated omission).
//
// The package is for the program, experiments and comparisons: no embedder's build contains it.
package load
