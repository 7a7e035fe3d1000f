package scenario

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program is one that is built for the comparison.
type Program struct {
	Name    string // of the file
	Package string // relative to its module's directory
	Peer    bool   // it belongs to this module, and not to Understudy's own, whose versions are its own
	Tags    string // build tags
}

// The programs. The server is the one that users get.
var (
	understudy = Program{Name: "understudy", Package: "./cmd/understudy"}
	seamless   = Program{Name: "understudy-nofaults", Package: "./cmd/understudy", Tags: "nofaults"}
	owning     = peer("owning")
	bytecopy   = peer("copy")
	plain      = peer("plain")
	codec      = peer("codec")
	grpc       = peer("grpc")
)

func peer(name string) Program {
	return Program{Name: "peer-" + name, Package: "./cmd/peer-" + name, Peer: true}
}

// Build builds the programs that the scenarios need into dir. module is the directory of this module; Understudy's own is
// above it.
func Build(ctx context.Context, module, dir string, scenarios []Scenario) error {
	built := map[string]bool{}
	for _, s := range scenarios {
		for _, subject := range s.Subjects {
			p := subject.Server.Program
			if built[p.Name] {
				continue
			}
			built[p.Name] = true
			cmd := exec.CommandContext(ctx, "go", "build", "-tags", p.Tags, "-o", filepath.Join(dir, p.Name), p.Package)
			cmd.Dir = module
			if !p.Peer {
				cmd.Dir = filepath.Dir(module)
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w: %s", cmd, err, strings.TrimSpace(string(out)))
			}
		}
	}
	return nil
}
