// Command peer-codec is a server to compare with: plain Go with Understudy's codec.
package main

import (
	"github.com/understudy-go/understudy/bench/internal/peer"
	"github.com/understudy-go/understudy/bench/peers/codec"
)

func main() { peer.Main(codec.Serve) }
