package supervisor_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

var update = flag.Bool("update", false, "rewrite the expectations of testdata/scenarios; then read them")

// A scenario file is a sequence of steps: one command a line (a tree may take several), a line of four dashes, and what is expected to happen, up to an
// empty line. The step "tree" begins anew. Lines that begin with # are for the reader. See testdata/scenarios/README.md for the commands.
type step struct {
	notes    []string
	commands []string
	want     []string
	line     int
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			steps := parseScenario(t, file)
			for i := 0; i < len(steps); {
				end := i + 1
				for end < len(steps) && steps[end].commands[0] != "tree" {
					end++
				}
				play(t, file, steps[i:end])
				i = end
			}
			if *update {
				write(t, file, steps)
			}
		})
	}
}

// play runs the steps of one tree in a bubble of their own.
func play(t *testing.T, file string, steps []step) {
	name := fmt.Sprintf("line %d", steps[0].line)
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			st := newStage(t)
			defer st.end()
			for i := range steps {
				s := &steps[i]
				got := st.run(s.commands)
				if *update {
					s.want = got
					continue
				}
				if strings.Join(got, "\n") != strings.Join(s.want, "\n") {
					t.Errorf("%s:%d: %s\n got:\n\t%s\n want:\n\t%s", file, s.line, strings.Join(s.commands, "; "),
						strings.Join(got, "\n\t"), strings.Join(s.want, "\n\t"))
				}
			}
		})
	})
}

func parseScenario(t *testing.T, file string) []step {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	var s step
	expecting := false
	flush := func() {
		if len(s.commands) > 0 {
			steps = append(steps, s)
			s = step{}
		}
		expecting = false
	}
	for i, line := range strings.Split(string(data), "\n") {
		switch {
		case line == "" && (expecting || len(s.commands) == 0):
			flush()
			if len(s.notes) > 0 && s.notes[len(s.notes)-1] != "" {
				s.notes = append(s.notes, "")
			}
		case strings.HasPrefix(line, "#") && len(s.commands) == 0:
			s.notes = append(s.notes, line)
		case line == "----":
			expecting = true
		case expecting:
			s.want = append(s.want, line)
		default:
			if len(s.commands) == 0 {
				s.line = i + 1
			}
			s.commands = append(s.commands, line)
		}
	}
	flush()
	if len(steps) == 0 || steps[0].commands[0] != "tree" {
		t.Fatalf("%s does not begin with a tree", file)
	}
	return steps
}

func write(t *testing.T, file string, steps []step) {
	t.Helper()
	var b strings.Builder
	for i, s := range steps {
		if i > 0 {
			b.WriteString("\n")
		}
		for _, line := range s.notes {
			b.WriteString(line + "\n")
		}
		b.WriteString(strings.Join(s.commands, "\n") + "\n----\n")
		for _, line := range s.want {
			b.WriteString(line + "\n")
		}
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
