package actors

import "github.com/understudy-go/understudy/supervisor"

// hook calls one of the user's functions about a connection. One that panics is a failure to be published, and no more.
func (c *connection) hook(f func(*Peer)) {
	defer func() {
		if r := recover(); r != nil {
			e := supervisor.Event{Kind: supervisor.Failed, Failure: supervisor.NewFailure(r, "a hook"), Directive: supervisor.Resume}
			if pid := c.pid.Load(); pid != nil {
				e.Path = pid.Id
			}
			c.stage.Hub.Publish(e)
		}
	}()
	f(&c.peer)
}
