package supervisor

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/ctxext"
)

// extensionOf returns the actor's extension with that id, made on first use. (Props may be shared by many actors, so what middleware knows
// of one actor is kept in that actor's context.)
func extensionOf[E ctxext.ContextExtension](ctx actor.ExtensionContext, id ctxext.ContextExtensionID, make func() E) E {
	if e, ok := getExtension(ctx, id).(E); ok {
		return e
	}
	e := make()
	ctx.Set(e)
	return e
}

// getExtension is ctx.Get, which panics (index out of range) on an id above three before the first Set.
func getExtension(ctx actor.ExtensionContext, id ctxext.ContextExtensionID) (e ctxext.ContextExtension) {
	defer func() { _ = recover() }()
	return ctx.Get(id)
}
