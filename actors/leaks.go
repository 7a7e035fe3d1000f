package actors

import (
	"bytes"
	"runtime/pprof"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

// giveUp gives up every worker whose handler has not returned, and returns their names and stacks. The library would wait
// for them for ever: an actor stops between two messages. So the pool is told that they have terminated.
func (s *Stage) giveUp(system *actor.ActorSystem, pool *actor.PID) []Leak {
	var leaks []Leak
	var stacks map[string]string
	process, ok := system.ProcessRegistry.Get(pool)
	for i := range s.router.slots {
		w := s.router.slots[i].Load()
		if w == nil || w.current.Load() == nil {
			continue
		}
		if stacks == nil {
			stacks = workerStacks()
		}
		stack, found := stacks[w.name]
		if !found {
			continue // it has returned since
		}
		leaks = append(leaks, Leak{Name: w.name, Stack: stack})
		w.alive.Store(false)
		if pid := w.pid.Load(); ok && pid != nil {
			process.SendSystemMessage(pool, &actor.Terminated{Who: pid})
		}
	}
	return leaks
}

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
		if ok {
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
