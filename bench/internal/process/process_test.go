package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-go/understudy/bench/internal/process"
	"go.uber.org/goleak"
)

// TestMain is also the program that the tests start: its first argument says what it does.
func TestMain(m *testing.M) {
	if os.Getenv("PROCESS_TEST_CHILD") == "" {
		if err := os.Setenv("PROCESS_TEST_CHILD", "1"); err != nil {
			panic(err)
		}
		// The race detector lets a program that ends wait for a second; a server is one here.
		if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
			panic(err)
		}
		goleak.VerifyTestMain(m)
		return
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	switch os.Args[1] {
	case "listen":
		fmt.Println("listening on tcp://127.0.0.1:1")
		<-signals
		os.Exit(0)
	case "fail at the end":
		fmt.Println("listening on tcp://127.0.0.1:1")
		<-signals
		fmt.Fprintln(os.Stderr, "I have lost a request")
		os.Exit(1)
	case "crash":
		fmt.Println("listening on tcp://127.0.0.1:1")
		fmt.Fprintln(os.Stderr, strings.Repeat("much before\n", 10_000)+"goodbye")
		os.Exit(7)
	case "refuse":
		fmt.Fprintln(os.Stderr, "the port is taken")
		os.Exit(2)
	}
	os.Exit(3)
}

func TestStartAndStop(t *testing.T) {
	s, err := process.Start(t.Context(), os.Args[0], "listen")
	if err != nil {
		t.Fatal(err)
	}
	if s.URL.Address != "127.0.0.1:1" {
		t.Errorf("it listens on %q", s.URL.Address)
	}
	if cpu, err := s.CPU(); err != nil || cpu <= 0 {
		t.Errorf("it has used %s (%v)", cpu, err)
	}
	if n, err := s.Resident(); err != nil || n <= 0 {
		t.Errorf("it has %d bytes (%v)", n, err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := s.CPU(); err == nil {
		t.Error("a server that was stopped has processor time")
	}
}

func TestThatDoesNotListen(t *testing.T) {
	_, err := process.Start(t.Context(), os.Args[0], "refuse")
	if err == nil || !strings.Contains(err.Error(), "the port is taken") {
		t.Errorf("the error is %v, and should say why the program ended", err)
	}
}

// A server that lost a request ends with status 1: that must not pass for a measurement.
func TestThatFailsAtTheEnd(t *testing.T) {
	s, err := process.Start(t.Context(), os.Args[0], "fail at the end")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err == nil || !strings.Contains(err.Error(), "I have lost a request") {
		t.Errorf("the error is %v, and should say what the server said", err)
	}
}

func TestThatCrashes(t *testing.T) {
	s, err := process.Start(t.Context(), os.Args[0], "crash")
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for err = error(nil); err == nil && time.Now().Before(deadline); {
		_, err = s.CPU()
	}
	if err == nil || !strings.Contains(err.Error(), "goodbye") || len(err.Error()) > 10_000 {
		t.Errorf("the error is %.300v, and should have the end of what the server said", err)
	}
	if err := s.Stop(); err == nil {
		t.Error("Stop says nothing of the crash")
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	s, err := process.Start(ctx, os.Args[0], "listen")
	if err != nil {
		t.Fatal(err)
	}
	cancel(errors.New("enough"))
	if err := s.Stop(); err == nil {
		t.Error("Stop says nothing of a server that was killed")
	}
}
