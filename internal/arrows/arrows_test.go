// Package arrows_test keeps the import arrows of the house: who may import whom, and what an embedder's build contains. It
// looks at what is built, not at tests, which may import what they like. Folders that do not exist yet have their rules too.
package arrows_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	house      = "github.com/understudy-go/understudy"
	protoActor = "github.com/asynkron/protoactor-go"
	grpc       = "google.golang.org/grpc"

	// root is the area of the package that embedders import; the other areas are the folders at the top.
	root = "understudy"
)

// mayImport says which areas each area may import, besides itself. To add an area is to decide on its arrows here.
var mayImport = map[string][]string{
	"messages":   {},
	"transport":  {"messages"},
	"supervisor": {},
	"actors":     {"supervisor", "transport", "messages", "internal"},
	root:         {"actors", "supervisor", "transport", "messages", "internal"},
	"client":     {"transport", "messages"},
	"lab":        {root, "client", "actors", "supervisor", "transport", "messages", "internal"},
	"cmd":        {root, "lab", "client", "actors", "supervisor", "transport", "messages", "internal"},
	"examples":   {root, "lab", "client", "actors", "supervisor", "transport", "messages", "internal"},
	"interop":    {},
	// What is internal serves any of the others, so it stands below root and actors. That root brings no client with it is
	// checked below, whichever way it comes.
	"internal": {"supervisor", "client", "transport", "messages"},
}

// knowActors are the areas that may import Proto.Actor.
var knowActors = []string{root, "actors", "supervisor", "lab", "examples"}

// reserved says who alone may import a package of ours that is not for everybody of its area's friends. The module under bench
// may too: it is not looked at here.
var reserved = map[string][]string{
	house + "/internal/load": {"cmd", "lab"}, // brings a histogram library, and is for no embedder
}

// embedded are the areas that may be in an embedder's build.
var embedded = []string{root, "actors", "supervisor", "transport", "messages", "internal"}

// embeddedToo are the modules that may be in an embedder's build although Proto.Actor does not bring the package.
var embeddedToo = []string{
	"google.golang.org/protobuf", // what the wire is made of
}

func TestArrows(t *testing.T) {
	for _, wrong := range turnedBack(list(t, "./...")) {
		t.Error(wrong)
	}
}

func TestEmbeddersBuild(t *testing.T) {
	brought := map[string]bool{}
	build := list(t, "-deps", ".")
	if slices.ContainsFunc(build, func(p pkg) bool { return p.ImportPath == protoActor+"/actor" }) {
		for _, p := range list(t, "-deps", protoActor+"/actor") {
			brought[p.ImportPath] = true
		}
	}
	for _, wrong := range tooMuch(build, brought) {
		t.Error(wrong)
	}
}

// turnedBack returns what is wrong with the imports of our packages.
func turnedBack(packages []pkg) (wrong []string) {
	for _, p := range packages {
		from, _ := area(p.ImportPath)
		allowed, known := mayImport[from]
		if !known {
			wrong = append(wrong, fmt.Sprintf("%s: no rule for %s; decide in this test what it may import", p.ImportPath, from))
			continue
		}
		for _, imported := range p.Imports {
			to, ours := area(imported)
			switch {
			case reserved[imported] != nil && !slices.Contains(reserved[imported], from):
				wrong = append(wrong, fmt.Sprintf("%s imports %s; those that may: %s", p.ImportPath, imported, strings.Join(reserved[imported], ", ")))
			case ours && to != from && !slices.Contains(allowed, to):
				wrong = append(wrong, fmt.Sprintf("%s imports %s; %s may import of ours: %s", p.ImportPath, imported, from, strings.Join(allowed, ", ")))
			case within(imported, protoActor) && !slices.Contains(knowActors, from):
				wrong = append(wrong, fmt.Sprintf("%s imports %s; those that may: %s", p.ImportPath, imported, strings.Join(knowActors, ", ")))
			case within(imported, protoActor+"/remote"), within(imported, protoActor+"/cluster"):
				wrong = append(wrong, fmt.Sprintf("%s imports %s, which nobody may: it brings gRPC", p.ImportPath, imported))
			}
		}
	}
	return wrong
}

// tooMuch returns what is wrong with the build of an embedder. brought holds the packages that come with Proto.Actor.
func tooMuch(build []pkg, brought map[string]bool) (wrong []string) {
	for _, p := range build {
		from, ours := area(p.ImportPath)
		switch {
		case p.Standard:
		case ours && !slices.Contains(embedded, from):
			wrong = append(wrong, fmt.Sprintf("an embedder's build contains %s; of ours it may: %s", p.ImportPath, strings.Join(embedded, ", ")))
		case ours:
		case within(p.ImportPath, grpc):
			wrong = append(wrong, fmt.Sprintf("an embedder's build contains %s", p.ImportPath))
		case brought[p.ImportPath], slices.ContainsFunc(embeddedToo, func(m string) bool { return within(p.ImportPath, m) }):
		default:
			wrong = append(wrong, fmt.Sprintf("an embedder's build contains %s, which Proto.Actor does not bring; what may come besides: %s",
				p.ImportPath, strings.Join(embeddedToo, ", ")))
		}
	}
	return wrong
}

// area returns the area of one of our packages.
func area(path string) (name string, ours bool) {
	if path == house {
		return root, true
	}
	rest, ours := strings.CutPrefix(path, house+"/")
	name, _, _ = strings.Cut(rest, "/")
	return name, ours
}

// within tells whether a package is that one or below it.
func within(path, top string) bool { return path == top || strings.HasPrefix(path, top+"/") }

// pkg is what go list says about a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Error      *struct{ Err string }
}

// list runs go list at the top of the repository.
func list(t *testing.T, args ...string) (packages []pkg) {
	t.Helper()
	watchSources(t)
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", "-json=ImportPath,Standard,Imports,Error"}, args...)...)
	cmd.Dir = top
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", cmd, err)
		}
		if p.Error != nil {
			t.Errorf("%s: %s", p.ImportPath, p.Error.Err)
		}
		packages = append(packages, p)
	}
	if len(packages) == 0 {
		t.Fatalf("%s lists nothing", cmd)
	}
	return packages
}

const top = "../.."

// watchSources looks at every source file. go test repeats a cached result while the files that the test itself has looked at
// are the same, and knows nothing of those that go list reads.
func watchSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != top && strings.HasPrefix(name, ".") {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".go") || name == "go.mod" {
			_, err = os.Stat(path)
		}
		if errors.Is(err, fs.ErrNotExist) { // an editor's temporary file
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRules tries the rules on arrows that do not exist.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		from, to string
		wrong    bool
	}{
		{house, house + "/actors", false},
		{house, house + "/internal/fault", false},
		{house, house + "/client", true},
		{house, house + "/lab", true},
		{house + "/actors", house + "/actors/internal/ring", false},
		{house + "/actors", house, true},
		{house + "/actors", house + "/client", true},
		{house + "/supervisor", house + "/messages", true},
		{house + "/supervisor", protoActor + "/actor", false},
		{house + "/supervisor", protoActor + "/remote", true},
		{house + "/lab", protoActor + "/cluster/clusterproviders/etcd", true},
		{house + "/transport", house + "/messages", false},
		{house + "/transport", house + "/internal/fault", true},
		{house + "/transport", protoActor + "/actor", true},
		{house + "/messages", house + "/transport", true},
		{house + "/messages", "google.golang.org/protobuf/proto", false},
		{house + "/client", house + "/transport", false},
		{house + "/client", house + "/actors", true},
		{house + "/internal/load", house + "/client", false},
		{house + "/internal/load", house + "/actors", true},
		{house + "/internal/load", house, true},
		{house, house + "/internal/load", true},
		{house + "/actors", house + "/internal/load", true},
		{house + "/internal/fault", house + "/internal/load", true},
		{house + "/examples/minimal", house + "/internal/load", true},
		{house + "/lab", house + "/internal/load", false},
		{house + "/cmd/understudy", house + "/internal/load", false},
		{house + "/cmd/understudy", house + "/lab", false},
		{house + "/cmd/understudy", protoActor + "/actor", true},
		{house + "/lab", house + "/cmd/understudy", true},
		{house + "/newcomer", "fmt", true},
	} {
		if wrong := turnedBack([]pkg{{ImportPath: c.from, Imports: []string{"fmt", c.to}}}); (len(wrong) > 0) != c.wrong {
			t.Errorf("%s imports %s: %q, want it refused: %t", c.from, c.to, wrong, c.wrong)
		}
	}
	brought := map[string]bool{"github.com/lmittmann/tint": true, grpc + "/codes": true}
	for _, c := range []struct {
		pkg   pkg
		wrong bool
	}{
		{pkg{ImportPath: "net", Standard: true}, false},
		{pkg{ImportPath: house}, false},
		{pkg{ImportPath: house + "/internal/fault"}, false},
		{pkg{ImportPath: house + "/client"}, true},
		{pkg{ImportPath: house + "/cmd/understudy/flags"}, true},
		{pkg{ImportPath: "google.golang.org/protobuf/encoding/protodelim"}, false},
		{pkg{ImportPath: "github.com/lmittmann/tint"}, false},
		{pkg{ImportPath: "golang.org/x/term"}, true},
		{pkg{ImportPath: "github.com/HdrHistogram/hdrhistogram-go"}, true},
		{pkg{ImportPath: grpc + "/codes"}, true},
	} {
		if wrong := tooMuch([]pkg{c.pkg}, brought); (len(wrong) > 0) != c.wrong {
			t.Errorf("a build with %s: %q, want it refused: %t", c.pkg.ImportPath, wrong, c.wrong)
		}
	}
}
