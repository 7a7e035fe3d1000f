// Package messages holds what is said: the wire of Understudy's first service (messages.proto and its generated code),
// the status codes and the typed [Error] that carries one, and the [Envelope], which knows the oneof arms of any pair of
// request and reply messages. It knows neither sockets nor actors.
package messages
