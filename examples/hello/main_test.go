package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The README shows pieces of these files as they are, but for the module's path.
func TestREADMEShowsTheseFiles(t *testing.T) {
	readme := read(t, "../../README.md")
	_, section, _ := strings.Cut(readme, "### A service of your own")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("(?s)```(?:go|proto)\n(.*?)```").FindAllStringSubmatch(section, -1)
	files := []string{"messages.proto", "main.go", "greet/main.go"}
	if len(blocks) != len(files) {
		t.Fatalf("the README shows %d pieces, want one of each of %q", len(blocks), files)
	}
	for i, name := range files {
		file := strings.ReplaceAll(read(t, name), "github.com/understudy-go/understudy/examples/hello", "example.com/hello")
		if !strings.Contains(file, blocks[i][1]) {
			t.Errorf("%s does not have what the README says it has:\n%s", name, blocks[i][1])
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
