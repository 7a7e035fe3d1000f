// Package burst is what the hand-written peers have in common: a goroutine for each connection, which reads what is there,
// answers every whole request of it, and writes all replies at once. It is what an experienced programmer would write with
// package net and nothing else; there is no deadline, no limit on connections, no recovery from panics, no orderly end.
package burst
