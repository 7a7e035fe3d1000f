package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-go/understudy/messages"
	"google.golang.org/protobuf/encoding/protodelim"
)

// program is the built binary: `go run` would hide exit statuses and signals.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "understudy")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "understudy")
	status := 1
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s\n%v\n", out, err)
	} else {
		status = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(status)
}

// patience bounds every wait.
const patience = 60 * time.Second

// run runs the program to its end.
func run(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	c := exec.Command(program, args...)
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	} else if ok {
		return out.String(), errs.String(), exit.ExitCode()
	}
	return out.String(), errs.String(), 0
}

// server is a running `understudy serve`.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	exited chan struct{}
	mu     sync.Mutex
	stderr bytes.Buffer
}

func (s *server) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.Write(b)
}

func (s *server) logs() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

// serve starts a server on a free port.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{t: t, exited: make(chan struct{})}
	s.cmd = exec.Command(program, append([]string{"serve", "--listen", "tcp://127.0.0.1:0"}, args...)...)
	s.cmd.Stderr = s
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("first line %q, %v; standard error: %s", line, err, s.logs())
	}
	s.url = url
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		_ = s.cmd.Wait() // the status is in ProcessState
		close(s.exited)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it may have ended
		<-s.exited
	})
	return s
}

func (s *server) terminate() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) wait() (status int) {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-time.After(patience):
		s.t.Fatal("the server does not end")
	}
	return s.cmd.ProcessState.ExitCode()
}

func (s *server) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "tcp://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func TestCall(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		args           []string
		stdout, stderr string
		status         int
	}{
		{[]string{"add", "2", "40"}, "42\n", "", 0},
		{[]string{"add", "-2", "-40"}, "-42\n", "", 0},
		{[]string{"add", "-o", "json", "2", "-2"}, "{\"result\":0}\n", "", 0},
		{[]string{"add", "1", "2", "-o", "json"}, "{\"result\":3}\n", "", 0},
		{[]string{"echo", "hello, world"}, "hello, world\n", "", 0},
		{[]string{"echo", "", "-o", "json"}, "{\"content\":\"\"}\n", "", 0},
		{[]string{"add", "2147483647", "1"}, "", "OUT_OF_RANGE", 1},
		{[]string{"add", "2147483648", "1"}, "", "2147483648", 2},
		{[]string{"add", "1"}, "", "<b>", 2},
		{[]string{"echo", "x", "-o", "xml"}, "", "xml", 2},
	} {
		stdout, stderr, status := run(t, append(append([]string{"call"}, c.args...), "--addr", s.url)...)
		if stdout != c.stdout || !strings.Contains(stderr, c.stderr) || status != c.status {
			t.Errorf("call %q: %q, %q, status %d", c.args, stdout, stderr, status)
		}
		if strings.Count(stderr, "\n") > 1 {
			t.Errorf("call %q: more than one line of error: %q", c.args, stderr)
		}
	}
	s.terminate()
	if status := s.wait(); status != 0 {
		t.Errorf("status %d; %s", status, s.logs())
	}
}

// Mistakes at the command line are one line that names what was wrong.
func TestMistakes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	inUse, nobody := "tcp://"+taken.Addr().String(), "tcp://"+free.Addr().String()
	for _, c := range []struct {
		args   string
		names  string
		status int
	}{
		{"", "serve", 2},
		{"sreve", "sreve", 2},
		{"serve --wrokers 3", "--wrokers", 2},
		{"serve --workers three", "three", 2},
		{"serve --workers 5000", "Workers is 5000", 2},
		{"serve --deadline soon", "soon", 2},
		{"serve --max-frame 4XX", "4XX", 2},
		{"serve --listen http://127.0.0.1:1", "http", 2},
		{"serve --listen tcp://127.0.0.1:0?framing=morse", "morse", 2},
		{"serve --listen tcp://127.0.0.1", "tcp://127.0.0.1", 2},
		{"serve --listen " + inUse, inUse + ": address already in use", 1},
		{"serve --listen tcp://no-such-host.invalid:7070", "no-such-host.invalid", 1},
		{"serve --fault panic", "--allow-faults", 2},
		{"serve --allow-faults --fault panic", "panic", 2},
		{"call add 1 2 --addr " + nobody, nobody, 4},
		{"call add 1 2 --addr nowhere", "nowhere", 2},
		{"call sing", "sing", 2},
	} {
		stdout, stderr, status := run(t, strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(stderr, c.names) || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("understudy %s: status %d, want %d; want one line with %q:\n%s%s", c.args, status, c.status, c.names, stdout, stderr)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	for args, wants := range map[string]string{
		"--help":           "understudy serve",
		"serve --help":     "listening on URL",
		"call --help":      "echo",
		"call add --help":  "--addr",
		"call echo --help": "--addr",
		"version":          "understudy ",
	} {
		stdout, stderr, status := run(t, strings.Fields(args)...)
		if status != 0 || stderr != "" || !strings.Contains(stdout, wants) {
			t.Errorf("understudy %s: status %d, %q, %q", args, status, stdout, stderr)
		}
		for line := range strings.Lines(stdout) {
			if len(line) > 81 {
				t.Errorf("understudy %s: a line of %d columns: %s", args, len(line)-1, line)
			}
		}
	}
}

// SIGTERM with ten thousand requests in flight: each is answered, the connection ends cleanly, the status is 0.
func TestSIGTERMWithRequestsInFlight(t *testing.T) {
	s := serve(t, "--allow-faults", "--fault", "slow worker/* delay=5ms p=0.01 seed=1")
	const connections, each = 20, 500
	var all sync.WaitGroup
	arrived := make(chan struct{}, connections)
	for c := range connections {
		conn := s.dial()
		var out bytes.Buffer
		for i := range each {
			m := &messages.ClientMessage{Message: &messages.ClientMessage_AddRequest{AddRequest: &messages.AddRequest{A: int32(c), B: int32(i)}}}
			if _, err := protodelim.MarshalTo(&out, m); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := conn.Write(out.Bytes()); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			defer conn.Close()
			r := bufio.NewReader(conn)
			var m messages.ServerMessage
			for i := range each {
				if err := protodelim.UnmarshalFrom(r, &m); err != nil || m.GetAddResponse().GetResult() != int32(c+i) {
					t.Errorf("connection %d: reply %d: %v, %v", c, i, &m, err)
					return
				}
				if i == 0 {
					arrived <- struct{}{}
				}
			}
			if _, err := r.ReadByte(); err != io.EOF {
				t.Errorf("connection %d: want the end, got %v", c, err)
			}
		})
	}
	for range connections {
		<-arrived // of each connection something has been read, and with one read all
	}
	s.terminate()
	all.Wait()
	if status := s.wait(); status != 0 {
		t.Errorf("status %d; %s", status, s.logs())
	}
	r := s.report()
	if r.Answered != connections*each || r.Unanswered != 0 || r.Drained != connections {
		t.Errorf("report: %+v", r)
	}
}

// loggedReport is what the last line of the log says.
type loggedReport struct {
	Drained, Forced, Leaked       int
	Decoded, Answered, Unanswered int64
}

func (s *server) report() loggedReport {
	s.t.Helper()
	var entry struct{ Report loggedReport }
	lines := strings.Split(strings.TrimSpace(s.logs()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &entry); err != nil {
		s.t.Errorf("the last line of the log: %v: %s", err, lines[len(lines)-1])
	}
	return entry.Report
}

// The second signal ends the server at once, with its own status.
func TestSecondSignalForces(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130} {
		s := serve(t, "--allow-faults", "--fault", "slow worker/* delay=1h", "--drain", "1h", "--deadline", "1h")
		conn := s.dial()
		m := &messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: "x"}}}
		if _, err := protodelim.MarshalTo(conn, m); err != nil {
			t.Fatal(err)
		}
		s.terminate()
		s.until("draining")
		s.signalUntilExit(sig)
		if status := s.wait(); status != want {
			t.Errorf("%v: status %d, want %d; %s", sig, status, want, s.logs())
		}
	}
}

// signalUntilExit is an impatient user: a signal right after another one counts as the same.
func (s *server) signalUntilExit(sig os.Signal) {
	s.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		select {
		case <-s.exited:
			return
		case <-tick.C:
			_ = s.cmd.Process.Signal(sig) // it may have ended
		}
	}
}

// until waits for a word in the log.
func (s *server) until(word string) {
	s.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !strings.Contains(s.logs(), word); <-tick.C {
		if time.Now().After(deadline) {
			s.t.Fatalf("no %q in the log: %s", word, s.logs())
		}
	}
}

// Crashes on demand: the client sees an incident id, and the log has it.
func TestFaults(t *testing.T) {
	s := serve(t, "--allow-faults", "--fault", "panic worker/* count=1")
	_, stderr, status := run(t, "call", "echo", "x", "--addr", s.url)
	if status != 1 || !strings.Contains(stderr, "INTERNAL") {
		t.Fatalf("status %d, %s", status, stderr)
	}
	_, after, _ := strings.Cut(stderr, "incident ")
	incident, _, _ := strings.Cut(after, ")")
	if incident == "" {
		t.Fatalf("no incident id: %s", stderr)
	}
	s.until(incident)
	if stdout, _, status := run(t, "call", "echo", "x", "--addr", s.url); status != 0 || stdout != "x\n" {
		t.Errorf("after the crash: status %d, %q", status, stdout)
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "understudy.sock")
	s := serve(t, "--listen", "unix://"+path+"?framing=length32")
	if stdout, stderr, status := run(t, "call", "add", "2", "40", "--addr", "unix://"+path+"?framing=length32"); stdout != "42\n" {
		t.Errorf("status %d, %q", status, stderr)
	}
	s.terminate()
	if status := s.wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket file is left")
	}
}

// SIGTERM with a handler that hangs: its request is answered in time, the server ends within the drain, and names the
// worker and where it is.
func TestSIGTERMWithAHungHandler(t *testing.T) {
	s := serve(t, "--allow-faults", "--fault", "hang worker/* count=1", "--drain", "1s", "--deadline", "1h")
	conn := s.dial()
	m := &messages.ClientMessage{Message: &messages.ClientMessage_EchoMessage{EchoMessage: &messages.EchoMessage{Content: "x"}}}
	if _, err := protodelim.MarshalTo(conn, m); err != nil {
		t.Fatal(err)
	}
	s.terminate() // what has arrived is read, and so hangs
	var reply messages.ServerMessage
	if err := protodelim.UnmarshalFrom(bufio.NewReader(conn), &reply); err != nil || reply.GetError().GetCode() != int32(messages.Unavailable) {
		t.Errorf("got %v, %v", &reply, err)
	}
	conn.Close()
	if status := s.wait(); status != 1 {
		t.Errorf("status %d", status)
	}
	logs := s.logs()
	for _, want := range []string{"server/pool/worker-", "fault.", "gave up"} {
		if !strings.Contains(logs, want) {
			t.Errorf("no %q in the log: %s", want, logs)
		}
	}
}

// A log that nobody reads holds up neither the server nor its end, and one whose reader has gone does not end it.
func TestLogThatNobodyReads(t *testing.T) {
	for _, gone := range []bool{false, true} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if err := w.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(make([]byte, 1<<20)) // until it is full
		s := &server{t: t, exited: make(chan struct{})}
		s.cmd = exec.Command(program, "serve", "--listen", "tcp://127.0.0.1:0", "--allow-faults", "--fault", "panic worker/*")
		s.cmd.Stderr = w
		out, err := s.cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		line, _ := bufio.NewReader(out).ReadString('\n')
		s.url = strings.TrimPrefix(strings.TrimSpace(line), "listening on ")
		go func() {
			_ = s.cmd.Wait()
			close(s.exited)
		}()
		if gone {
			r.Close()
		}
		for range 3 { // each crash is logged
			if _, _, status := run(t, "call", "echo", "x", "--addr", s.url); status != 1 {
				t.Errorf("reader gone %v: status %d", gone, status)
			}
		}
		s.terminate()
		if status := s.wait(); status != 0 {
			t.Errorf("reader gone %v: status %d", gone, status)
		}
	}
}
