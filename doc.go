// Package understudy is a TCP server built of supervised actors: it keeps answering while parts of it crash, and says
// exactly what it did about each crash.
//
// # A service
//
// A [Service] is a pair of protobuf envelopes, messages with one oneof each, and a handler for each arm of the first. Handlers
// are plain functions; which arm one handles, and in which its replies go out, is found by its types:
//
//	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
//	understudy.Handle(service, func(ctx context.Context, in *pb.AddRequest) (*pb.AddResponse, error) {
//		return &pb.AddResponse{Result: in.A + in.B}, nil
//	})
//	server, err := understudy.New(understudy.Config{Service: service})
//
// [New] says everything that is wrong with the service and the [Config] at once. The zero Config serves [EchoAdd] on
// [DefaultListen]. [Server.Serve] serves until its context ends, and then drains: what has arrived is answered first.
//
// # What becomes of a request
//
// Each request that was decoded gets exactly one reply, in the order of the requests: what its handler returned, or an error
// with a code of package messages. A handler that panics costs its request (INTERNAL, with an incident id that the log has
// too), one that does not return costs it its deadline; neither costs anybody else anything. With [Service.RequestID] replies
// leave in any order, each with its request's id.
//
// A handler is told more about itself by options: [Deadline], [Idempotent], [Key], [Slow], [Borrowing]; [Service.Use] and
// [With] put [Middleware] around it. The page docs/misuse.md of the repository says what becomes of mistakes.
//
// # Sessions
//
// [SessionOf] is the connection that a request came in on: it can be remembered by ([SessionKey]), spoken to unasked
// ([Session.Push]), and closed. [Service.OnOpened] and [Service.OnClosed] are called for each.
//
// # Actors
//
// [Server.Spawn] has the server serve as an actor of a Proto.Actor system that exists already, and [HandleActor] has actors
// of that system answer requests: [ContextOf] tells them whose, and [AnswerFailures] has them answer when they crash. The server's PID answers a [StatusRequest], and a PoisonPill drains it. Package supervisor has the
// supervisors that the server itself stands on, for any Proto.Actor program.
//
// The folder examples has programs to start from: kv, chat, embed.
//
// Nothing in this package is global, and it logs nothing unless Config.Logger is set.
package understudy
