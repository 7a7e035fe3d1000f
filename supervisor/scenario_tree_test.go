package supervisor_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-go/understudy/supervisor"
)

// plant starts the tree that the lines draw: a supervisor with its strategy and options, and below it, indented by two spaces, its children.
func (st *stage) plant(lines []string) {
	spec, rest := st.super(lines, "")
	if len(rest) > 0 {
		st.t.Fatalf("what is %q?", rest[0])
	}
	st.dynamic = spec.Strategy == supervisor.Dynamic
	room := 1000
	if st.dynamic {
		room = 25_000 // ten thousand children start, or stop, at once; making and clearing the room costs time
	}
	st.cancel = st.hub.Subscribe(room, st.on)
	spec.Events, spec.Tree, spec.Rand = st.hub, st.tree, func() float64 { return 0.5 }
	root, err := supervisor.Spawn(st.system.Root, spec)
	if err != nil {
		st.t.Fatal(err)
	}
	st.root = root
}

// super reads a supervisor and what is indented below it.
func (st *stage) super(lines []string, path string) (supervisor.Spec, []string) {
	depth := indentation(lines[0])
	words := strings.Fields(lines[0])
	spec := supervisor.Spec{Name: words[0]}
	path += words[0] + "/"
	for _, word := range words[1:] {
		st.option(&spec, word)
	}
	lines = lines[1:]
	for len(lines) > 0 && indentation(lines[0]) > depth {
		words := strings.Fields(lines[0])
		child := st.child(path, words)
		if isStrategy(words) {
			var nested supervisor.Spec
			nested, lines = st.super(lines, path)
			nested.Name = ""
			child.Props, child.Supervisor = nil, &nested
		} else {
			lines = lines[1:]
		}
		if spec.Strategy == supervisor.Dynamic {
			spec.Template = child
			continue
		}
		spec.Children = append(spec.Children, child)
	}
	return spec, lines
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

var strategies = map[string]supervisor.Grouping{
	"one-for-one": supervisor.OneForOne, "one-for-all": supervisor.OneForAll, "rest-for-one": supervisor.RestForOne, "dynamic": supervisor.Dynamic,
}

func isStrategy(words []string) bool {
	for _, word := range words {
		if _, ok := strategies[word]; ok {
			return true
		}
	}
	return false
}

// option reads one word of a supervisor's line; those of a child are read by child.
func (st *stage) option(spec *supervisor.Spec, word string) {
	if s, ok := strategies[word]; ok {
		spec.Strategy = s
		return
	}
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "budget":
		n, period, _ := strings.Cut(value, "/")
		d, err := time.ParseDuration(period)
		if _, err2 := fmt.Sscan(n, &spec.Budget.Intensity); err != nil || err2 != nil {
			st.t.Fatalf("what is %q?", word)
		}
		spec.Budget.Period = d
	case "auto":
		spec.AutoShutdown = map[string]supervisor.AutoShutdown{"any": supervisor.AnySignificant, "all": supervisor.AllSignificant}[value]
	}
}

// child reads a child's line.
func (st *stage) child(path string, words []string) supervisor.ChildSpec {
	child := supervisor.ChildSpec{Name: words[0], Props: st.puppet()}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "permanent":
		case "start-fails", "start-hangs", "stop-fails", "stop-hangs", "stopped-fails", "stopped-hangs": // the first so many times
			times, _ := strconv.Atoi(value)
			when, what, _ := strings.Cut(key, "-")
			st.order(path+words[0], when+" "+strings.TrimSuffix(what, "s"), max(1, times))
		case "transient":
			child.Restart = supervisor.RestartTransient
		case "temporary":
			child.Restart = supervisor.RestartTemporary
		case "significant":
			child.Significant = true
		case "brutal":
			child.Shutdown = supervisor.Brutal
		case "infinite":
			child.Shutdown = supervisor.Infinite
		case "by-class":
			child.Decide = supervisor.ByClass
		case "shutdown":
			child.Shutdown = st.duration(value)
		case "backoff":
			low, high, _ := strings.Cut(value, "..")
			child.Backoff = supervisor.Backoff{Min: st.duration(low), Max: st.duration(high)}
		case "resume", "restart", "restart-later", "stop", "escalate":
			d := map[string]supervisor.Directive{
				"resume": supervisor.Resume, "restart": supervisor.Restart, "restart-later": supervisor.RestartLater,
				"stop": supervisor.Stop, "escalate": supervisor.Escalate,
			}[key]
			child.Decide = func(*supervisor.Failure) supervisor.Directive { return d }
		}
	}
	return child
}

func (st *stage) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		st.t.Fatal(err)
	}
	return d
}
