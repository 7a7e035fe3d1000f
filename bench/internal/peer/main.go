// Package peer is what the programs of the comparison have in common.
package peer

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

// Main listens where the flag -listen says, prints the line "listening on tcp://ADDRESS" as understudy serve does, and serves
// until it gets SIGTERM or SIGINT. serve must return nil when its listener is closed. Main does not return.
func Main(serve func(net.Listener) error) {
	listen := flag.String("listen", "127.0.0.1:0", "listen on this TCP `address`")
	flag.Parse()
	if flag.NArg() > 0 {
		end(2, fmt.Errorf("unexpected argument %q", flag.Arg(0)))
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		end(1, err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		_ = l.Close() // Serve returns, and the process ends with its connections
	}()
	fmt.Printf("listening on tcp://%s\n", l.Addr())
	if err := serve(l); err != nil {
		end(1, err)
	}
	os.Exit(0)
}

func end(status int, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
	os.Exit(status)
}
