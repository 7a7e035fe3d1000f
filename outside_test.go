package understudy_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/understudy-go/understudy/internal/foreign"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/proto"
)

// A module of somebody else, in a directory of its own, with a package for its wire that has a messages.proto too, compiles
// against this one and serves. It needs no network: it requires what this module requires, at the same versions.
func TestOutsideModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	top, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	mod := strings.Replace(readFile(t, "go.mod"), "module github.com/understudy-go/understudy", "module example.org/outside", 1)
	mod += "\nrequire github.com/understudy-go/understudy v0.0.0\n\nreplace github.com/understudy-go/understudy => " + top + "\n"
	code := readFile(t, "internal/foreign/messages.pb.go")
	for name, text := range map[string]string{
		"go.mod": mod, "go.sum": readFile(t, "go.sum"), "main.go": readFile(t, "testdata/outside/main.go"),
		"wire/messages.pb.go": strings.Replace(code, "package foreign", "package wire", 1),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "outside", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	program := exec.CommandContext(t.Context(), filepath.Join(dir, "outside"))
	program.Stderr = os.Stderr
	in, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	u, err := transport.ParseURL(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial(u.Network, u.Address)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{Conn: c, t: t, framing: u.Framing, r: bufio.NewReader(c)}
	p.SetDeadline(time.Now().Add(patience))
	p.send(p.frame(callUpper("from outside"))...)
	if r := p.result(); !proto.Equal(r, &foreign.Result{Kind: &foreign.Result_Upper{Upper: &foreign.Text{Value: "FROM OUTSIDE"}}}) {
		t.Errorf("got %v", r)
	}
	c.Close()
	in.Close()
	if err := program.Wait(); err != nil {
		t.Error(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
