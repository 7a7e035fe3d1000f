// Command peer-copy is a server to compare with: bytes are sent back.
package main

import (
	"github.com/understudy-go/understudy/bench/internal/peer"
	"github.com/understudy-go/understudy/bench/peers/bytecopy"
)

func main() { peer.Main(bytecopy.Serve) }
