package main_test

import (
	"bytes"
	"encoding/json"
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
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// benched is what `understudy bench -o json` prints, as far as the tests look at it.
type benched struct {
	URL, Mix, Size, Arrivals  string
	Connections, Depth        int
	Requests, Replies, Errors int64
	Wrong, Misplaced          int64
	Unanswered                int64
	Lost                      int64 `json:"lost_connections"`
	Throughput                float64
	Interrupted               bool
	Codes                     map[string]int64
	Latency                   struct{ Count int64 }
	Generator                 struct{ Processors int }
	Missed                    []string
}

// short makes a bench that takes no time.
func short(args ...string) []string {
	return append([]string{"bench", "-d", "400ms", "--warmup", "0s", "-c", "3"}, args...)
}

func decode(t *testing.T, stdout string) (b benched) {
	t.Helper()
	if err := json.Unmarshal([]byte(stdout), &b); err != nil {
		t.Errorf("%v: %q", err, stdout)
	}
	return b
}

func TestBench(t *testing.T) {
	unframed := "unix://" + filepath.Join(t.TempDir(), "s") + "?framing=unframed"
	s := serve(t, "--listen", unframed)
	for _, c := range []struct {
		url  string
		args []string
		want benched
	}{
		{s.url, nil, benched{Mix: "echo=1", Size: "32", Depth: 16}},
		{s.url, []string{"-p", "2", "--mix", "echo=9,add=1", "--size", "0-2KiB"}, benched{Mix: "echo=9,add=1", Size: "0-2048", Depth: 2}},
		{s.url, []string{"--rate", "500"}, benched{Mix: "echo=1", Size: "32", Depth: 1024, Arrivals: "poisson"}},
		{s.url, []string{"--rate", "500", "--arrivals", "uniform"}, benched{Mix: "echo=1", Size: "32", Depth: 1024, Arrivals: "uniform"}},
		{s.url, []string{"-p", "1", "--each", "2"}, benched{Mix: "echo=1", Size: "32", Depth: 1}},
		{unframed, []string{"--mix", "add=1"}, benched{Mix: "add=1", Size: "32", Depth: 16}},
	} {
		args := short(append(c.args, "-o", "json", "--addr", c.url)...)
		stdout, stderr, status := run(t, args...)
		b := decode(t, stdout)
		if status != 0 || stderr != "" || b.URL != c.url || b.Mix != c.want.Mix || b.Size != c.want.Size || b.Depth != c.want.Depth ||
			b.Arrivals != c.want.Arrivals || b.Connections != 3 || b.Requests == 0 || b.Replies != b.Requests || b.Latency.Count < b.Requests ||
			b.Interrupted || b.Missed == nil || b.Generator.Processors == 0 {
			t.Errorf("%q: status %d, %q, %s", args, status, stderr, stdout)
		}
	}
	for _, rate := range []string{"0", "500"} {
		stdout, stderr, status := run(t, short("--rate", rate, "--addr", s.url)...)
		if status != 0 || stderr != "" || !strings.Contains(stdout, "replies/s") || !strings.Contains(stdout, "ottleneck") && !strings.Contains(stdout, "BOTTLENECK") {
			t.Errorf("status %d, %q, %s", status, stderr, stdout)
		}
		fits(t, stdout)
	}
}

// fits fails the test if a line is wider than a terminal of 80 columns.
func fits(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
}

// What is wrong with a measurement is one line on standard error, and its exit status.
func TestBenchStatus(t *testing.T) {
	s := serve(t, "--allow-faults", "--fault", "panic worker/* p=0.5 seed=1")
	corrupt := foul(t, func(n int, b []byte) []byte {
		b[len(b)-1] ^= 1
		return b
	})
	closing := foul(t, func(n int, b []byte) []byte {
		if n > 10 {
			return nil
		}
		return b
	})
	for _, c := range []struct {
		args, says string
		status     int
	}{
		{"--addr " + s.url, "", 0},
		{"--max-errors 100% --min-rate 1 --max-p99 1h --addr " + s.url, "", 0},
		{"--max-p50 1ns --addr " + s.url, "--max-p50", 3},
		{"--max-p99 1ns --addr " + s.url, "--max-p99", 3},
		{"--max-p999 1ns --addr " + s.url, "--max-p999", 3},
		{"--min-rate 1e9 --addr " + s.url, "--min-rate 1e+09", 3},
		{"--max-errors 0 --addr " + s.url, "--max-errors 0", 3},
		{"--max-errors 0.1% --addr " + s.url, "--max-errors 0.1%", 3},
		{"--max-p50 1ns --min-rate 1e9 -o json --addr " + s.url, "--max-p50 1ns; the rate is", 3},
		{"--addr " + corrupt, "is wrong: got", 1},
		{"--max-p99 1ns --addr " + corrupt, "is wrong: got", 1},
		{"--addr " + closing, "lost after", 1},
		{"--addr " + nobody(t), "cannot reach", 4},
		{"--addr nowhere", "nowhere", 2},
		{"--mix sing=1", "sing", 2},
		{"--size big", "big", 2},
		{"--rate -1", "-1", 2},
		{"--arrivals sometimes", "sometimes", 2},
		{"-c 0", "--connections is 0", 2},
		{"-p -1", "-1", 2},
		{"-d 0s", "--duration is 0s", 2},
		{"--grace 0s", "--grace is 0s", 2},
		{"--max-errors few", "few", 2},
		{"--each 2 --rate 5", "Each is 2", 2},
		{"-o xml", "xml", 2},
	} {
		stdout, stderr, status := run(t, append(short(), strings.Fields(c.args)...)...)
		lines := 1
		if c.status == 0 {
			lines = 0
		}
		if status != c.status || !strings.Contains(stderr, c.says) || strings.Count(stderr, "\n") != lines {
			t.Errorf("bench %s: status %d, want %d; want one line with %q: %s", c.args, status, c.status, c.says, stderr)
		}
		if printed := stdout != ""; printed != (c.status != 2 && c.status != 4) {
			t.Errorf("bench %s: standard output is %q", c.args, stdout)
		}
	}
	stdout, _, _ := run(t, short("-o", "json", "--addr", s.url)...)
	if b := decode(t, stdout); b.Errors == 0 || b.Codes["INTERNAL"] != b.Errors {
		t.Errorf("crashes: %s", stdout)
	}
}

// nobody returns a URL where nobody listens.
func nobody(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return "tcp://" + l.Addr().String()
}

// foul starts a server that sends back what change makes of the n-th thing it reads, and closes the connection where that is
// nothing.
func foul(t *testing.T, change func(n int, b []byte) []byte) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				b := make([]byte, 64<<10)
				for n := 0; ; n++ {
					m, err := c.Read(b)
					if err != nil {
						return
					}
					out := change(n, b[:m])
					if out == nil {
						return
					}
					if _, err := c.Write(out); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return "tcp://" + l.Addr().String()
}

// Ctrl-C ends the measurement, and what was measured is printed. A second one ends the program.
func TestBenchInterrupted(t *testing.T) {
	silent := make(chan struct{})
	for _, second := range []bool{false, true} {
		seen := make(chan struct{}, 1) // its own: the first program's last requests are no sign of the second one
		url := foul(t, func(n int, b []byte) []byte {
			if n < 3 {
				return b
			}
			select {
			case seen <- struct{}{}:
			default:
			}
			if second {
				<-silent
			}
			return b
		})
		var out, errs bytes.Buffer
		c := exec.Command(program, "bench", "-d", "1h", "--warmup", "0s", "--grace", "1h", "-c", "1", "-o", "json", "--addr", url)
		c.Stdout, c.Stderr = &out, &errs
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		<-seen
		s := &server{t: t, cmd: c, exited: make(chan struct{})}
		go func() {
			_ = c.Wait()
			close(s.exited)
		}()
		if second {
			s.signalUntilExit(os.Interrupt)
		} else if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		status := s.wait()
		if second {
			if status != 130 {
				t.Errorf("status %d", status)
			}
			close(silent)
			continue
		}
		if b := decode(t, out.String()); status != 0 || !b.Interrupted || b.Requests == 0 || b.Replies != b.Requests || errs.Len() > 0 {
			t.Errorf("status %d, %s, %s", status, &errs, &out)
		}
	}
}

// On a terminal, and only there, a line tells the progress; at the end it is gone.
func TestBenchProgress(t *testing.T) {
	s := serve(t)
	control, terminal := pty(t)
	c := exec.Command(program, "bench", "-d", "1600ms", "--warmup", "0s", "-c", "2", "--addr", s.url)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, terminal
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	shown, _ := io.ReadAll(control) // an error is the terminal's end
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	text := string(shown)
	if !strings.Contains(text, "1s of 1.6s") || !strings.Contains(text, "/s  p50 ") || !strings.HasSuffix(text, "\r\x1b[K") {
		t.Errorf("%q", text)
	}
	for line := range strings.SplitSeq(text, "\r\x1b[K") {
		fits(t, line)
	}
	if !strings.Contains(out.String(), "replies/s") {
		t.Errorf("%s", &out)
	}
}

// pty makes a pseudo-terminal (pts(4)).
func pty(t *testing.T) (control, terminal *os.File) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here:", err)
	}
	t.Cleanup(func() { control.Close() })
	n, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return control, terminal
}
