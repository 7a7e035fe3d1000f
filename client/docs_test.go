package client_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/understudy-go/understudy/client"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The page about the client shows the first example as it is.
func TestPageShowsTheExample(t *testing.T) {
	_, example, _ := strings.Cut(read(t, "example_test.go"), "func Example() {\n")
	_, example, _ = strings.Cut(example, "defer stop()\n\n")
	example, _, _ = strings.Cut(example, "\t// Output:")
	var code strings.Builder
	for line := range strings.Lines(example) {
		code.WriteString(strings.TrimPrefix(line, "\t"))
	}
	if !strings.Contains(read(t, "../docs/client.md"), "```go\n"+code.String()+"```") {
		t.Errorf("docs/client.md does not have:\n%s", &code)
	}
}

// The page's table has every option, in the order of the struct's fields or not.
func TestPageHasEveryOption(t *testing.T) {
	page := read(t, "../docs/client.md")
	fields := reflect.VisibleFields(reflect.TypeFor[client.Options]())
	for _, f := range fields {
		if !strings.Contains(page, "\n| `"+f.Name+"` |") {
			t.Errorf("docs/client.md has no row for %s", f.Name)
		}
	}
	_, table, _ := strings.Cut(page, "## Options")
	if rows := strings.Count(table, "\n| `"); rows != len(fields) {
		t.Errorf("docs/client.md has %d rows for %d options", rows, len(fields))
	}
}
