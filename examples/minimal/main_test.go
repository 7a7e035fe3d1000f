package main

import (
	"os"
	"strings"
	"testing"
)

// The README shows this program as it is.
func TestREADMEShowsThisProgram(t *testing.T) {
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(program), "\n") // the doc comment is the README's sentence
	if !strings.Contains(string(readme), "```go\n"+code+"```") {
		t.Error("the program in README.md is not examples/minimal/main.go")
	}
	if n := strings.Count(code, "\n"); n > 40 {
		t.Errorf("%d lines, and it should be at most 40", n)
	}
}
