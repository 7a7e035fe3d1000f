package usage_test

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-go/understudy/bench/internal/usage"
)

// The child that burns what it is told is this test's own binary.
const burnVariable, memoryVariable = "USAGE_TEST_BURN", "USAGE_TEST_MEMORY"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(burnVariable) != "":
		burn()
	case os.Getenv(memoryVariable) != "":
		hold()
	}
	os.Exit(m.Run())
}

// step waits for a line on standard input, and says that it came.
func step(in *bufio.Reader, said string) {
	os.Stdout.WriteString(said + "\n")
	if _, err := in.ReadString('\n'); err != nil {
		os.Exit(1)
	}
}

// burn uses a second of processor time on two threads, and then waits to be told to end.
func burn() {
	in := bufio.NewReader(os.Stdin)
	step(in, "ready")
	begun := own()
	done := make(chan struct{})
	for range 2 {
		go func() {
			for own()-begun < time.Second {
				runtime.Gosched()
			}
			done <- struct{}{}
		}()
	}
	<-done
	<-done
	step(in, "burnt")
	os.Exit(0)
}

func own() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		os.Exit(1)
	}
	return spent(&r)
}

func spent(r *syscall.Rusage) time.Duration {
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// hold takes 64 MiB.
func hold() {
	in := bufio.NewReader(os.Stdin)
	step(in, "ready")
	// Memory of the runtime's would have the race detector's beside it.
	b, err := syscall.Mmap(-1, 0, held, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_POPULATE)
	if err != nil {
		os.Exit(1)
	}
	step(in, "held")
	if err := syscall.Munmap(b); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

const held = 64 << 20

// child is this binary again.
type child struct {
	*exec.Cmd
	t   *testing.T
	out *bufio.Reader
	in  *os.File
}

func start(t *testing.T, variable string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), variable+"=1")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = read
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read.Close()
	t.Cleanup(func() { write.Close() })
	return &child{cmd, t, bufio.NewReader(out), write}
}

// expect waits until the child says so.
func (c *child) expect(said string) {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil || strings.TrimSpace(line) != said {
		c.t.Fatalf("the child says %q (%v), want %q", line, err, said)
	}
}

func (c *child) goOn() {
	c.t.Helper()
	if _, err := c.in.WriteString("\n"); err != nil {
		c.t.Fatal(err)
	}
}

func TestCPU(t *testing.T) {
	c := start(t, burnVariable)
	c.expect("ready")
	before := cpu(t, c.Process.Pid)
	c.goOn()
	c.expect("burnt")
	after := cpu(t, c.Process.Pid)
	c.goOn()
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	// wait4's account is the oracle: all that the process ever used.
	account := spent(c.ProcessState.SysUsage().(*syscall.Rusage))
	if after > account {
		t.Errorf("the clock says %s, and wait4 %s in the end", after, account)
	}
	// This is processor time, of which the child counts itself how much it takes: the machine's load does not change it. It
	// uses a little more for looking at its own account, and for being told.
	if used := after - before; used < time.Second-time.Millisecond || used > time.Second+200*time.Millisecond {
		t.Errorf("the clock counts %s while the child uses a second", used)
	}
}

func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	d, err := usage.CPU(pid)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestResident(t *testing.T) {
	c := start(t, memoryVariable)
	c.expect("ready")
	before, err := usage.Resident(c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	c.goOn()
	c.expect("held")
	after, err := usage.Resident(c.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	c.goOn()
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if grown := after - before; grown < held || grown > held+held/4 {
		t.Errorf("a process that takes %d bytes grows by %d", held, grown)
	}
}

// A process that has ended must be an error, not a figure.
func TestEnded(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{cmd.Process.Pid, 0, -1} {
		if d, err := usage.CPU(pid); err == nil {
			t.Errorf("process %d, which is none, has used %s", pid, d)
		}
		if n, err := usage.Resident(pid); err == nil {
			t.Errorf("process %d, which is none, has %d bytes", pid, n)
		}
	}
}
