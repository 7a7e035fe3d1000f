package load_test

import (
	"testing"
	"time"

	"github.com/understudy-go/understudy/internal/load"
	"github.com/understudy-go/understudy/messages"
)

// slowJudge takes long to look at a reply, as a generator does that has too little of a processor.
type slowJudge struct{ load.Protocol }

func (slowJudge) Judge(got, want []byte) (load.Verdict, messages.Code) {
	time.Sleep(10 * time.Millisecond) // this is what is slow, and waits for nothing
	return load.Right, 0
}

// Where the generator is what is slow, the result says so.
func TestBottleneck(t *testing.T) {
	u := answer(t, func(n int, right []byte) ([]byte, bool) {
		right[len(right)-1] ^= 1
		return right, true
	})
	c := load.Config{
		Connections: 4, Depth: 16, Duration: 300 * time.Millisecond, Grace: patience,
		Protocol: slowJudge{load.EchoAdd(nil, load.Mix{Size: load.Sizes{Least: 32, Most: 32}})},
	}
	r := run(t, u, c)
	clean(t, r)
	mentions(t, r.Generator.Bottleneck, "had something to do for")
	c.Rate = 1000
	r = run(t, u, c)
	if r.LateOwn == 0 {
		t.Errorf("%+v", *r)
	}
	mentions(t, r.Generator.Bottleneck, "sent late by its own fault")
}
