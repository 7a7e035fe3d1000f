package otp_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// recordings are what a real OTP supervisor did; testdata/otp/README.md says how they were made, and when to look at others.
var recordings = cmp.Or(os.Getenv("OTP_RECORDINGS"), "../../testdata/otp/*.txt")

// TestReplay plays every recorded case on the model, which must see what OTP saw: every event, in the same order, step for step.
func TestReplay(t *testing.T) {
	cases := 0
	eachRecording(t, func(t *testing.T, recorded []otp.Case) {
		for _, c := range recorded {
			t.Run(c.Name, func(t *testing.T) { replay(t, &c) })
		}
		cases += len(recorded)
	})
	if cases < 900 {
		t.Errorf("only %d recorded cases", cases)
	}
}

func replay(t *testing.T, c *otp.Case) {
	got := otp.Run(c.Spec, c.Steps)
	if !slices.ContainsFunc(c.Trace, func(e []otp.Event) bool { return len(e) > 0 }) {
		t.Fatal("nothing was recorded")
	}
	for i, want := range c.Trace {
		if !slices.Equal(got[i], want) {
			t.Fatalf("step %d, %s\nOTP:   %s\nmodel: %s\n\n%s", i+1, c.Steps[i], line(want), line(got[i]), otp.Format([]otp.Case{*c}))
		}
	}
}

func line(events []otp.Event) string { return strings.Trim(fmt.Sprint(events), "[]") }

// TestRecordingsAreFormatted holds the recorder, Format and Parse together: a recording, comments aside, is what Format writes of it.
func TestRecordingsAreFormatted(t *testing.T) {
	eachRecordingText(t, func(t *testing.T, text string) {
		cases, err := otp.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got, want := strings.Split(otp.Format(cases), "\n"), strings.Split(bare(text), "\n")
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				t.Fatalf("line %d without comments: recorded %q, formatted %q", i+1, want[i], got[min(i, len(got)-1)])
			}
		}
	})
}

// TestVersions wants every recording to say what OTP made it.
func TestVersions(t *testing.T) {
	eachRecordingText(t, func(t *testing.T, text string) {
		if !strings.Contains(text, "\n# recorded by OTP 25.") {
			t.Error("no version")
		}
	})
}

// bare is a recording without its comments and without the empty lines before its first case.
func bare(text string) string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
	return strings.TrimLeft(strings.Join(lines, "\n"), "\n")
}

func eachRecording(t *testing.T, f func(*testing.T, []otp.Case)) {
	eachRecordingText(t, func(t *testing.T, text string) {
		cases, err := otp.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		f(t, cases)
	})
}

func eachRecordingText(t *testing.T, f func(*testing.T, string)) {
	t.Helper()
	files, err := filepath.Glob(recordings)
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in %s (%v)", recordings, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f(t, string(text))
		})
	}
}
