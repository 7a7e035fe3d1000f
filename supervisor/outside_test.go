package supervisor_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	ourModule    = "github.com/understudy-go/understudy"
	actorPackage = "github.com/asynkron/protoactor-go/actor"
)

// outsideModule makes a module of its own in a new directory, with the program in testdata/outside, that gets this one from where it
// stands. It needs no network: it requires what this module requires, at the same versions.
func outsideModule(t *testing.T) (dir string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir = t.TempDir()
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	mod := string(readFile(t, filepath.Join(top, "go.mod")))
	mod = strings.Replace(mod, "module "+ourModule, "module example.org/outside", 1)
	mod += "\nrequire " + ourModule + " v0.0.0\n\nreplace " + ourModule + " => " + top + "\n"
	for name, text := range map[string][]byte{
		"go.mod": []byte(mod), "go.sum": readFile(t, filepath.Join(top, "go.sum")), "main.go": readFile(t, "testdata/outside/main.go"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// go test repeats a cached result while the files that it saw opened are the same; what the go command reads it does not see.
	err = filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// goCommand runs the go command in a module, offline, and returns the lines it prints.
func goCommand(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %v: %v\n%s%s", args, err, out, &stderr)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// A program of somebody else supervises plain actors.
func TestOutsideModule(t *testing.T) {
	got := goCommand(t, outsideModule(t), "run", ".")
	// Events and replies come from different goroutines: each kind in its own order.
	kind := func(prefix string) (lines []string) {
		for _, line := range got {
			if rest, ok := strings.CutPrefix(line, prefix+": "); ok {
				lines = append(lines, rest)
			}
		}
		return lines
	}
	if replies := kind("reply"); !slices.Equal(replies, []string{"one is number 1", "two is number 1"}) {
		t.Errorf("replies: %q", replies)
	}
	want := []string{
		"started outside/store", "started outside/cache", "started outside/front",
		"exited outside/cache", "restarting outside/cache", "stopped outside/front", "restarted outside/cache", "restarted outside/front",
		"stopped outside/front", "stopped outside/cache", "stopped outside/store", "ended outside",
	}
	if events := kind("event"); !slices.Equal(events, want) {
		t.Errorf("events:\n%s\nwant:\n%s", strings.Join(events, "\n"), strings.Join(want, "\n"))
	}
}

// What such a program is built of: the standard library, what Proto.Actor's actor package brings, and of this module package supervisor alone.
func TestOutsideDependencies(t *testing.T) {
	dir := outsideModule(t)
	list := func(of string) []string {
		return goCommand(t, dir, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", of)
	}
	brought, ours := list(actorPackage), 0
	for _, path := range list(".") {
		switch {
		case path == "", path == "example.org/outside", slices.Contains(brought, path):
		case path == ourModule+"/supervisor", strings.HasPrefix(path, ourModule+"/supervisor/"):
			ours++
		default:
			t.Errorf("the program contains %s, which %s does not bring", path, actorPackage)
		}
	}
	if ours == 0 || !slices.Contains(brought, actorPackage) {
		t.Errorf("%d packages of ours, and Proto.Actor brings %d: that shows nothing", ours, len(brought))
	}
}
