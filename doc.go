// Package understudy is a TCP server built of supervised actors: it keeps answering while parts of it crash, and says
// exactly what it did about each crash.
//
// # A service
//
// A [Service] is a pair of protobuf envelopes, messages with one oneof each, and a handler for each arm of the first. [NewService]
// makes one of any two envelopes, and [Handle] fills it. Handlers are plain functions; which arm one handles, and in which its
// replies go out, is found by its types (which is what [Message] is for):
//
//	service := understudy.NewService[*pb.ClientMessage, *pb.ServerMessage]()
//	understudy.Handle(service, func(_ context.Context, in *pb.AddRequest) (*pb.AddResponse, error) {
//		return &pb.AddResponse{Result: in.A + in.B}, nil
//	})
//
// [New] makes a server of it, and says everything that is wrong with the service and the [Config] at once. [Server.Serve] serves until
// its context ends, and then drains: what has arrived is answered first.
//
//	server, err := understudy.New(understudy.Config{
//		Service: service,
//		Listen:  []string{"tcp://127.0.0.1:0"}, // a free port, which URLs tells
//	})
//	if err != nil {
//		return err
//	}
//	return server.Serve(ctx)
//
// [Config].Service takes any service ([Handlers]); the zero Config serves [EchoAdd] on [DefaultListen]. Package
// [github.com/understudy-go/understudy/client] calls a server from Go:
//
//	sum, err := client.Call[pb.AddResponse](ctx, c, &pb.AddRequest{A: 2, B: 40})
//
// # What becomes of a request
//
// Each request that was decoded gets exactly one reply, in the order of the requests: what its handler returned, or an error
// with a code of package messages, in the reply's arm of type understudy.v1.Error. A handler that panics costs its request
// (INTERNAL, with an incident id that the log has too), one that does not return costs it its deadline; neither costs anybody
// else anything. A handler chooses the code itself by returning a *[messages.Status] or a [messages.Code].
//
// The page docs/misuse.md of the repository says what becomes of mistakes.
//
// # Options of handlers
//
// A handler is told more about itself by a [HandlerOption]:
//
//   - [Arm] and [ReplyArm] say which arm is meant where several have a type.
//   - [Deadline] gives its requests another time than [Config].Deadline.
//   - [Slow] keeps it off the goroutines that read connections: for handlers that wait for something.
//   - [Idempotent] has it called again if it has crashed.
//   - [Key] has one request of a key handled at a time, in order, so that what belongs to a key needs no lock.
//   - [Borrowing] has it give its message back, so that a request costs no allocation; [Config].CheckBorrowed finds who breaks
//     that promise. [UnmarshalVT] has the message decoded by code that vtprotobuf has generated.
//   - [With] puts [Middleware] around it, and [Service.Use] around all handlers of a service: functions that make a
//     [HandlerFunc] of a HandlerFunc, to authorize, to measure, to trace.
//
// # Fields of the envelope
//
// An envelope may have fields outside its oneof. With [Service.RequestID] one of them is the id of a request: replies then leave in
// any order, each with its request's id. For the others — a tenant, a trace — [EnvelopeOf] gives handlers the envelope.
//
// # Sessions
//
// [SessionOf] is the [Session], the connection, that a request came in on. It can be remembered by, with a [SessionKey] made by
// [NewSessionKey]; spoken to unasked ([Session.Push], [Session.TryPush]); and closed. [Service.OnOpened] and [Service.OnClosed] are
// called for each.
//
// # Actors
//
// [Server.Spawn] has the server serve as an actor of a Proto.Actor system that exists already, and [HandleActor] has actors of that
// system answer requests: [ContextOf] tells them whose, and [AnswerFailures] has them answer when they crash. [Unwrapped] says that
// one may be asked without the service's middleware. Package supervisor has the supervisors that the server itself stands on, for
// any Proto.Actor program.
//
// # Configuration
//
// [Config] is one struct. A zero field means its default, a constant of this package where it does not depend on the machine;
// [Config.Validate] names each field that is out of its bounds. Whatever a client can make grow has a bound there, and
// [Config.MemoryCeiling] says what they come to. [Routing] is which idle worker gets requests.
//
// # What a server is doing
//
// [Server.Counts] says what a server has done, as [Counts] that add up: of each request one thing becomes. [Server.Status] says what
// it is doing, as a [Status]: each [Level] with its bound, and in a [PoolStatus] how many workers there are, what waits, and for
// how long. A [StatusRequest] that is sent to [Server.PID] is answered with the same. [Config].Logger hears of each failure, and
// of what was decided; nothing is logged unless it is set.
//
// # The end
//
// A server drains when the context of Serve ends, by [Server.Shutdown], and by a PoisonPill to its PID: it accepts no more, answers
// what has arrived, and closes each connection when its last reply is out. After [Config].Drain it ends by force. Shutdown
// returns a [Report] of what was drained and what was not, with a [Leak] for each handler that has not returned; [Report.Err],
// Serve and [Server.Wait] return nil, or an error such as [ErrUnanswered] or [ErrLeaked].
//
// The folder examples has programs to start from: minimal, hello (with a .proto and a client), kv, chat, embed. Nothing in this package
// is global.
package understudy
