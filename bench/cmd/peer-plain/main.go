// Command peer-plain is a server to compare with: plain Go with google.golang.org/protobuf.
package main

import (
	"github.com/understudy-go/understudy/bench/internal/peer"
	"github.com/understudy-go/understudy/bench/peers/plain"
)

func main() { peer.Main(plain.Serve) }
