// Package process runs the servers that are compared, each as a process of its own.
package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/understudy-go/understudy/bench/internal/usage"
	"github.com/understudy-go/understudy/transport"
)

const (
	// startTimeout is how long a server may take until it listens.
	startTimeout = 10 * time.Second
	// stopTimeout is how long it may take to end after SIGTERM; then it is killed.
	stopTimeout = 15 * time.Second
	// noticed is how long to wait, after the system says that there is no such process, until it is known how that ended.
	noticed = time.Second
	// keptLog is how many bytes of the end of its standard error are kept, for the error message.
	keptLog = 4 << 10
)

// Server is a process that listens. Its methods may be called from any goroutine but Stop, which is called once.
type Server struct {
	URL transport.URL

	cmd  *exec.Cmd
	log  *tail
	done chan struct{}
	err  error // of the process, once done is closed
}

// Start runs a program that prints "listening on URL" on standard output when it accepts connections, as understudy serve
// does, and waits for that line. It ends with ctx, by SIGKILL.
func Start(ctx context.Context, program string, args ...string) (*Server, error) {
	s := &Server{cmd: exec.CommandContext(ctx, program, args...), log: &tail{}, done: make(chan struct{})}
	s.cmd.Stderr = s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no load may outlive this program
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	listening := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		listening <- line
		_, _ = io.Copy(io.Discard, out)
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case line := <-listening:
		address, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
		if !found {
			err = fmt.Errorf("%s says %q before it listens", program, line)
			break
		}
		s.URL, err = transport.ParseURL(address)
	case <-timeout.C:
		err = fmt.Errorf("%s does not listen after %s", program, startTimeout)
	}
	if err != nil {
		s.kill()
		return nil, errors.Join(err, s.failure())
	}
	return s, nil
}

// CPU returns the processor time that the server has used so far.
func (s *Server) CPU() (time.Duration, error) {
	d, err := usage.CPU(s.cmd.Process.Pid)
	return d, s.unlessEnded(err)
}

// Resident returns how many bytes of memory the server has.
func (s *Server) Resident() (int64, error) {
	n, err := usage.Resident(s.cmd.Process.Pid)
	return n, s.unlessEnded(err)
}

// unlessEnded returns err, or what ended the server if it has ended.
func (s *Server) unlessEnded(err error) error {
	if err != nil {
		timer := time.NewTimer(noticed)
		defer timer.Stop()
		select {
		case <-s.done:
		case <-timer.C:
		}
	}
	select {
	case <-s.done:
		return errors.Join(errors.New("the server has ended by itself"), s.failure())
	default:
		return err
	}
}

// Stop ends the server with SIGTERM, and returns an error if it does not end in time, or with another status than 0.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		if errors.Is(err, os.ErrProcessDone) {
			<-s.done // it has been waited for
		}
		return errors.Join(err, s.failure())
	}
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-s.done:
		if s.err != nil {
			return s.failure()
		}
		return nil
	case <-timeout.C:
		s.kill()
		return fmt.Errorf("%s does not end %s after SIGTERM", s.cmd.Path, stopTimeout)
	}
}

func (s *Server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.done
}

// failure says how the process ended, if it has, and what it said last.
func (s *Server) failure() error {
	select {
	case <-s.done:
	default:
		return nil
	}
	return fmt.Errorf("%s: %w; it said last: %s", s.cmd.Path, s.err, s.log)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if over := len(t.b) - keptLog; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(b), nil
}

// String returns what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.b) == 0 {
		return "nothing"
	}
	return string(bytes.TrimSpace(t.b))
}
