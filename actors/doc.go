// Package actors is who works: the server, the root of the tree, with the pool and its workers and the acceptors and their
// sessions below it. What they say to each other is listed in package messages (walks.go); where each file stands:
//
//	the tree       tree.go (who supervises whom, and what becomes of a failure), server.go, pool.go, worker.go, acceptor.go,
//	               session.go; what they share is in stage.go
//	a peer         peer.go (a connection as handlers know it), push.go (what it is told unasked), hooks.go
//	accepting      accepting.go (the loop), refusing.go (connections over the limit)
//	a connection   connection.go (what survives a session), reader.go, writer.go, closing.go, state.go
//	a request      burst.go, router.go (the pool's data path), routing.go (which worker), sorting.go (by key, and whom to ask),
//	               sortings.go (key functions that do not return), slot.go,
//	               serve.go, asks.go (actors of the user's),
//	               handler.go, replies.go, encode.go, context.go,
//	               envelope.go (its fields outside the oneof), sweeper.go (what takes too long)
//	pure cores     window.go, outbox.go, queue.go, backlog.go, idle.go, pace.go, sizer.go, counts.go, waits.go
//	to be read     status.go
//	the mailbox    mailbox.go
//	the end        lifecycle.go, leaks.go
//
// Sessions, acceptors and workers have a [Mailbox] of their own, which can run a message on its sender's goroutine.
package actors
