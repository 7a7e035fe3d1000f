// Package messages holds what is said: the wire of Understudy's first service (messages.proto and its generated code), the
// status codes and the typed [Error] that carries one, and the [Envelope], which knows the oneof arms of any pair of request and
// reply messages. It knows neither sockets nor actors.
//
// Who writes handlers, or calls a client, needs the codes ([Code]) and the errors that carry one ([Status], [StatusOf]), and for the
// built-in service its messages, from [ClientMessage] and [ServerMessage] on. An envelope of one's own has an arm of type [Error].
// What else there is the other packages need: the codec, and what the actors of a server tell each other (walks.go).
package messages
