package client_test

import (
	"fmt"
	"testing"

	"github.com/understudy-go/understudy"
	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
)

// BenchmarkCall echoes 32 bytes over one connection to a server in the same process, whose share is in the figures.
func BenchmarkCall(b *testing.B) {
	server := host(b, understudy.EchoAdd(), understudy.Config{})
	for _, parallel := range []int{1, 64} {
		b.Run(fmt.Sprint(parallel, " at once"), func(b *testing.B) {
			c := dial(b, server.URLs()[0], client.Options{})
			in := &messages.EchoMessage{Content: "thirty-two bytes of text, or so.."}
			b.ReportAllocs()
			b.SetParallelism(parallel)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := client.Call[messages.EchoMessage](b.Context(), c, in); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
