package supervisor_test

import (
	"os"
	"strings"
	"testing"
)

// Each snippet in docs/supervision.md is code of an Example, and each story is what an Example prints.
func TestDocumentationIsExamples(t *testing.T) {
	doc, err := os.ReadFile("../docs/supervision.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	examples := flat(string(source))
	blocks := strings.Split(string(doc), "```")
	if len(blocks) < 20 {
		t.Fatalf("found %d snippets", len(blocks)/2)
	}
	for i := 1; i < len(blocks); i += 2 {
		kind, text, _ := strings.Cut(blocks[i], "\n")
		want := flat(text)
		if kind == "text" {
			want = "// " + strings.ReplaceAll(want, "\n", "\n// ")
		}
		if !strings.Contains(examples, want) {
			t.Errorf("no Example has this:\n%s", text)
		}
	}
}

// flat is text without the spaces that lines begin with.
func flat(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
