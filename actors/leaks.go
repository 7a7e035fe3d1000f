package actors

import (
	"bytes"
	"runtime/pprof"
	"strings"
)

// Leak is a worker whose handler does not return.
type Leak struct {
	Name  string // the worker's path
	Stack string // where its goroutine is
}

// giveUp has the pool go on without the workers whose handlers have not returned.
func (s *Stage) giveUp() {
	for _, w := range s.router.busy() {
		s.router.giveUp(w, s.system)
	}
}

// Leaks returns the workers that still serve, and where. After the end these are the ones whose handlers do not return.
func (s *Stage) Leaks() []Leak {
	var leaks []Leak
	stacks := workerStacks()
	for _, w := range s.router.busy() {
		if stack, found := stacks[w.name]; found { // else it has returned since
			leaks = append(leaks, Leak{Name: w.name, Stack: stack})
		}
	}
	return leaks
}

// serveFrame is in the stack of every goroutine that serves.
const serveFrame = "actors.(*worker).serve"

// workerStacks finds the goroutines that carry a worker's label, by the worker's path.
func workerStacks() map[string]string {
	var text bytes.Buffer
	// Debug level 1 groups goroutines by stack and labels, and prints both.
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return nil
	}
	stacks := make(map[string]string)
	for record := range strings.SplitSeq(text.String(), "\n\n") {
		name, stack, ok := parseRecord(record)
		if !ok {
			continue
		}
		// Goroutines inherit the label of those that start them: of several, the one that serves is meant.
		if _, found := stacks[name]; !found || strings.Contains(stack, serveFrame) {
			stacks[name] = stack
		}
	}
	return stacks
}

// parseRecord reads one record of a goroutine profile:
//
//	1 @ 0x… 0x…
//	# labels: {"understudy.worker":"server/pool/worker-3"}
//	#	0x…	time.Sleep+0x…	/usr/…/time.go:1
func parseRecord(record string) (name, stack string, ok bool) {
	_, rest, ok := strings.Cut(record, "# labels: ")
	if !ok {
		return "", "", false
	}
	labels, frames, _ := strings.Cut(rest, "\n")
	_, after, ok := strings.Cut(labels, `"`+workerLabel+`":"`)
	if !ok {
		return "", "", false
	}
	name, _, ok = strings.Cut(after, `"`)
	var b strings.Builder
	for line := range strings.Lines(frames) {
		fields := strings.Fields(line)
		if len(fields) >= 4 && fields[0] == "#" {
			function, _, _ := strings.Cut(fields[2], "+0x")
			b.WriteString(function + "\n\t" + strings.Join(fields[3:], " ") + "\n")
		}
	}
	return name, b.String(), ok
}
