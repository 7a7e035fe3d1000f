package transport_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/understudy-go/understudy/transport"
)

// After Finish, Accept returns the connections that waited in the kernel, and then net.ErrClosed.
func TestFinishTakesTheBacklog(t *testing.T) {
	u, err := transport.ParseURL("tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := transport.Listen(context.Background(), u, transport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const n = 50
	for range n {
		c, err := net.Dial("tcp", l.URL().Address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	l.Finish()
	l.Finish()
	for i := range n {
		c, err := l.Accept()
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		c.Close()
	}
	if c, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("got %v, %v", c, err)
	}
	if c, err := net.Dial("tcp", l.URL().Address); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

// Finish wakes an Accept that waits.
func TestFinishWakesAccept(t *testing.T) {
	u, err := transport.ParseURL("tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := transport.Listen(context.Background(), u, transport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	l.Finish()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
