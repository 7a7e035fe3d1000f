//go:build interop

package interop_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-go/understudy/transport"
)

// patience bounds each step of the test that waits for another process.
const patience = 90 * time.Second

func TestPython(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	python := findPython(t)
	generated := generate(t, root)
	program := build(t, root)
	for _, framing := range transport.Framings() {
		t.Run(framing, func(t *testing.T) {
			address := serve(t, program, framing)
			cmd := exec.CommandContext(t.Context(), python, "client.py", address, framing)
			cmd.Env = append(os.Environ(), "PYTHONPATH="+generated, "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
			cmd.WaitDelay = time.Second
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Errorf("client.py: %v", err)
			} else if !strings.HasPrefix(string(out), "ok "+framing+" ") {
				t.Errorf("client.py says %q", out)
			}
		})
	}
}

// findPython returns a Python that has protobuf. The first in the path need not be the system's, whose packages have it.
func findPython(t *testing.T) string {
	t.Helper()
	var said []string
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		out, err := exec.CommandContext(t.Context(), python, "-c", "import google.protobuf").CombinedOutput()
		if err == nil {
			return python
		}
		said = append(said, python+": "+err.Error()+" "+string(out))
	}
	t.Fatalf("no Python with google.protobuf (Debian: python3-protobuf):\n%s", strings.Join(said, "\n"))
	return ""
}

// generate writes messages_pb2.py and returns the folder it is in.
func generate(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	run(t, root, "protoc", "-I", "understudy/v1="+filepath.Join(root, "messages"), "--python_out="+dir, "understudy/v1/messages.proto")
	return filepath.Join(dir, "understudy", "v1")
}

// build builds the program: go run would hide its signals and its exit status.
func build(t *testing.T, root string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "understudy")
	run(t, root, "go", "build", "-o", program, "./cmd/understudy")
	return program
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

// serve starts the program and returns the address that it listens on. When the test ends it is sent SIGTERM, and has to exit
// with 0.
func serve(t *testing.T, program, framing string) string {
	t.Helper()
	cmd := exec.Command(program, "serve", "--listen", "tcp://127.0.0.1:0?framing="+framing)
	var logs strings.Builder
	cmd.Stderr = &logs
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }) // which the exit status then tells
	lines := bufio.NewScanner(stdout)
	t.Cleanup(func() {
		defer overdue.Stop()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		for lines.Scan() { // to the end, as Wait closes the pipe
			t.Logf("serve: %s", lines.Text())
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("serve: %v, want exit status 0; its log:\n%s", err, &logs)
		}
	})
	for lines.Scan() {
		if listening, found := strings.CutPrefix(lines.Text(), "listening on "); found {
			url, err := transport.ParseURL(listening)
			if err != nil {
				t.Fatal(err)
			}
			if url.Framing.Name() != framing {
				t.Errorf("serve listens with the framing %s, want %s", url.Framing.Name(), framing)
			}
			return url.Address
		}
	}
	t.Fatalf("serve ended without the line \"listening on URL\": %v", lines.Err())
	return ""
}
