// Package client speaks to an Understudy server over one connection. Calls are pipelined: any number of goroutines may call
// at once, none waits for another's reply, and what they send at the same time goes out in one write. The server answers in
// the order of the requests, which is how replies find their calls.
//
// Errors of calls are *[messages.Status], so errors.Is(err, messages.Unavailable) tells them apart, and NotStarted tells
// which may be repeated without risk. There are no retries here.
package client
