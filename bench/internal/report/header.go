package report

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// versions are of what makes a difference to the peers.
var versions = []string{"google.golang.org/grpc", "google.golang.org/protobuf"}

// Header writes on what machine, with what, and how it was measured.
func Header(w io.Writer, command, commit, method string) {
	fmt.Fprintf(w, "- machine: %s, %d processors; Linux %s\n", processor(), runtime.NumCPU(), kernel())
	fmt.Fprintf(w, "- versions: %s", runtime.Version())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			for _, name := range versions {
				if dep.Path == name {
					fmt.Fprintf(w, ", %s %s", strings.TrimPrefix(name, "google.golang.org/"), dep.Version)
				}
			}
		}
	}
	if commit != "" {
		fmt.Fprintf(w, "; Understudy at %s", commit)
	}
	fmt.Fprintf(w, "\n- command: `%s`\n- method: %s\n", command, method)
}

// processor is the model that the first processor says it is.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// kernel is the kernel's version, without what a distribution or a provider has added to it.
func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "?"
	}
	release, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
	return release
}
