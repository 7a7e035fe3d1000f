// Command peer-grpc is a server to compare with: gRPC-go.
package main

import (
	"github.com/understudy-go/understudy/bench/internal/peer"
	"github.com/understudy-go/understudy/bench/peers/rpc"
)

func main() { peer.Main(rpc.Serve) }
