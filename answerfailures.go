package understudy

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/supervisor"
)

// AnswerFailures has an actor that fails on a request say so to whoever asked, before its supervisor hears of the failure: the
// sender of the message gets a *[messages.Status] with INTERNAL and the failure's incident id. It is for actors that
// [HandleActor] asks, whose clients would wait for their deadline otherwise, and for those that are asked with a future:
//
//	actor.PropsFromProducer(newShard, understudy.AnswerFailures())
//
// It goes with a guard of package supervisor or without, and under any supervisor. An actor that has responded already responds a
// second time then, which is dropped as any second response is. What has no sender is nobody's request. It costs an allocation a
// message, as the library puts what passes middleware into an envelope.
func AnswerFailures() actor.PropsOption {
	return actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(ctx actor.ReceiverContext, e *actor.MessageEnvelope) {
			normal := false
			defer func() {
				if normal {
					return
				}
				// Recovered here, and panicked with again: what the supervisor hears is the failure whose incident the client was told.
				f := failureOf(recover(), e.Message)
				if e.Sender != nil {
					ctx.ActorSystem().Root.Send(e.Sender, &messages.Status{
						Code: messages.Internal, Op: ctx.Self().Id, Message: "the actor that handles it crashed", Cause: f, IncidentID: f.Incident,
					})
				}
				panic(f)
			}()
			next(ctx, e)
			normal = true
		}
	})
}

// failureOf is what was recovered as a failure; a guard inside has made one already. nil is a runtime.Goexit.
func failureOf(recovered, message any) *supervisor.Failure {
	if f, ok := recovered.(*supervisor.Failure); ok && f != nil {
		return f
	}
	if recovered == nil {
		f := supervisor.NewFailure(supervisor.ErrGoexit, message)
		f.Goexit = true
		return f
	}
	return supervisor.NewFailure(recovered, message)
}
