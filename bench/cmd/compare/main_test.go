package main

import (
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), []string{"-list"}, &out, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"depth1 ", "64 connections, 128 in flight", "idle", "10000 connections at rest"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the list does not say %q:\n%s", want, &out)
		}
	}
	out.Reset()
	if err := run(t.Context(), []string{"-list", "-scenario", "panics"}, &out, &out); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("the list of one scenario is %q (%v)", &out, err)
	}
}

// What cannot be run is said before anything is built.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-scenario depth1,depth2", `no scenario "depth2"`},
		{"-rounds 0", "-rounds is 0"},
		{"-d 0s", "-d 0s"},
		{"-warmup -1s", "-warmup -1s"},
		{"-c 0", "-c is 0"},
		{"-many 9", "-many 9"},
		{"depth1", `"depth1"`},
		{"-fast", "-fast"},
	} {
		var out, progress strings.Builder
		err := run(t.Context(), strings.Fields(c.args), &out, &progress)
		if err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
			t.Errorf("%s: the error is %v, want %q; printed is %q", c.args, err, c.want, &out)
		}
	}
}
