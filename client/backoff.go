package client

import (
	"math/rand/v2"
	"sync"
	"time"
)

// backoff returns how long to wait after so many failures in a row, at least one: at random between half of a ceiling and
// the whole. The ceiling is least at first, and doubles with each failure up to most. It is the "equal jitter" of Marc Brooker,
// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: never near nothing, and no two clients in step.
func backoff(failures int, least, most time.Duration) time.Duration {
	ceiling := least
	for range failures - 1 {
		if ceiling >= most/2 { // doubling would pass the cap, or overflow
			ceiling = most
			break
		}
		ceiling *= 2
	}
	half := ceiling / 2
	return half + rand.N(ceiling-half+1)
}

// The retry budget. The shape is that of gRPC's retry throttling, https://github.com/grpc/proposal/blob/master/A6-client-retries.md.
const (
	budgetTokens = 100 // how many retries there may be at once
	budgetEarned = 0.1 // of a retry, for each call that succeeds
)

// budget bounds the retries of a client. It may be used from any goroutine.
type budget struct {
	mu     sync.Mutex
	tokens float64
}

// spend takes one retry out of the budget, if it is there.
func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// earn adds to the budget for a call that succeeded.
func (b *budget) earn() {
	b.mu.Lock()
	b.tokens = min(b.tokens+budgetEarned, budgetTokens)
	b.mu.Unlock()
}
