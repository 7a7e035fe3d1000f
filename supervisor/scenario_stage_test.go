package supervisor_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/understudy-go/understudy/supervisor"
)

// stage is where a scenario plays: a real actor system, and children that do as they are told.
type stage struct {
	t       *testing.T
	system  *actor.ActorSystem
	hub     *supervisor.Hub
	cancel  func()
	began   time.Time
	root    *actor.PID
	tree    *supervisor.Tree
	dynamic bool

	mu      sync.Mutex
	lines   []string
	answers []string                  // in the order of coming; shown behind the lines, as they come another way
	orders  map[string]map[string]int // by child: how often it still has to do what
	release map[string]chan struct{}  // by child: what it hangs on
}

// order is a message that makes a child do something.
type order struct {
	what string
	err  error
}

func newStage(t *testing.T) *stage {
	st := &stage{
		t: t, system: newSystem(), hub: supervisor.NewHub(), began: time.Now(), tree: new(supervisor.Tree),
		orders: make(map[string]map[string]int), release: make(map[string]chan struct{}),
	}
	return st
}

func (st *stage) end() {
	for name := range st.release {
		st.letGo(name)
	}
	if st.root != nil {
		st.system.Root.Stop(st.root)
	}
	time.Sleep(10 * time.Minute) // longer than any time-out of the scenarios
	synctest.Wait()
	st.cancel()
	if n := st.hub.Dropped(); n > 0 {
		st.t.Errorf("%d events had no room", n)
	}
	if _, alive := st.system.ProcessRegistry.Get(st.root); alive {
		st.t.Errorf("the tree that began at %v does not end", st.began)
	}
	settle()
}

// say notes one line of what happens.
func (st *stage) say(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if at := time.Since(st.began); at > 0 {
		format = at.String() + " " + format
	}
	st.lines = append(st.lines, fmt.Sprintf(format, args...))
}

func (st *stage) answer(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.answers = append(st.answers, fmt.Sprintf(format, args...))
}

func (st *stage) on(e supervisor.Event) {
	line := e.Kind.String() + " " + e.Path
	switch e.Kind {
	case supervisor.Exited, supervisor.Stopped, supervisor.StartFailed, supervisor.Ended:
		line += ": " + e.Reason.String()
	case supervisor.Restarted:
		line += " #" + strconv.Itoa(e.Incarnation)
	case supervisor.Restarting:
		line += ", " + strconv.Itoa(e.BudgetLeft) + " left"
	case supervisor.RestartDelayed:
		line += " by " + e.Delay.String() + ", " + strconv.Itoa(e.BudgetLeft) + " left"
	}
	if e.Directive != 0 && (e.Kind == supervisor.Exited || e.Kind == supervisor.Failed) {
		line += ", " + e.Directive.String()
	}
	st.say("%s", line)
}

// run plays the commands of one step, all at once, and returns what happened.
func (st *stage) run(commands []string) []string {
	if commands[0] == "tree" {
		st.plant(commands[1:])
		commands = nil
	}
	for _, command := range commands {
		st.command(strings.Fields(command))
	}
	synctest.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	slices.Sort(st.answers)
	lines := append(st.collapse(st.lines), st.answers...)
	st.lines, st.answers = nil, nil
	return lines
}

// collapse says how many there are of more than twenty lines in a row that begin with the same word. Those of a dynamic supervisor, whose children
// stop all at once, are sorted.
func (st *stage) collapse(lines []string) []string {
	var short []string
	for len(lines) > 0 {
		kind, _, _ := strings.Cut(lines[0], " top/")
		n := 1
		for n < len(lines) && strings.HasPrefix(lines[n], kind+" top/") {
			n++
		}
		if st.dynamic {
			slices.Sort(lines[:n])
		}
		if n > 20 {
			short = append(short, fmt.Sprintf("%s, %d of them", kind, n))
		} else {
			short = append(short, lines[:n]...)
		}
		lines = lines[n:]
	}
	return short
}

func (st *stage) command(words []string) {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch words[0] {
	case "fail", "hang", "ping", "critical":
		st.system.Root.Send(st.pid(arg(1)), order{what: words[0]})
	case "exit":
		reasons := map[string]error{"normal": nil, "shutdown": supervisor.ErrShutdown, "killed": supervisor.ErrKilled, "abnormal": errors.New("abnormal")}
		err, ok := reasons[arg(2)]
		if !ok {
			st.t.Fatalf("no reason %q", arg(2))
		}
		st.system.Root.Send(st.pid(arg(1)), order{what: "exit", err: err})
	case "next": // next NAME start|stop fail|hang [TIMES]
		times, _ := strconv.Atoi(arg(4))
		st.order(arg(1), arg(2)+" "+arg(3), max(1, times))
	case "release":
		st.letGo(arg(1))
	case "stop":
		st.system.Root.Stop(st.pid(arg(1)))
	case "poison":
		st.system.Root.Poison(st.pid(arg(1)))
	case "wait":
		d, err := time.ParseDuration(arg(1))
		if err != nil {
			st.t.Fatal(err)
		}
		time.Sleep(d)
	case "settle":
		synctest.Wait()
	case "start-child", "stop-child", "restart-child", "delete-child":
		st.ask(words[0], arg(1), words[2:])
	case "spawn":
		n, _ := strconv.Atoi(arg(2))
		for range n {
			st.system.Root.Send(st.pid(arg(1)), supervisor.StartChild{Child: supervisor.ChildSpec{Props: st.puppet()}})
			if n < 20 {
				synctest.Wait() // one by one, for a certain order of what happens
			}
		}
	case "each": // each SUPERVISOR COMMAND: to every child of it
		root, _ := st.tree.Snapshot()
		for _, child := range find(root, arg(1)).Children {
			st.command(append([]string{arg(2), arg(1) + "/" + child.Name}, words[3:]...))
		}
	case "children":
		root, ok := st.tree.Snapshot()
		if !ok {
			st.say("no tree")
			return
		}
		st.draw(find(root, arg(1)), "")
	default:
		st.t.Fatalf("no command %q", words[0])
	}
}

func find(node supervisor.Node, path string) supervisor.Node {
	for _, name := range strings.Split(path, "/")[1:] {
		i := slices.IndexFunc(node.Children, func(n supervisor.Node) bool { return n.Name == name })
		node = node.Children[i]
	}
	return node
}

func (st *stage) draw(n supervisor.Node, indent string) {
	for _, child := range n.Children {
		line := fmt.Sprintf("%s%s %s %s", indent, child.Name, child.Restart, child.State)
		if child.Incarnation > 0 {
			line += fmt.Sprintf(" #%d", child.Incarnation)
		}
		if child.Mailbox > 0 {
			line += fmt.Sprintf(", %d waiting", child.Mailbox)
		}
		if child.Supervisor {
			line += fmt.Sprintf(", %s, %d left", child.Strategy, child.BudgetLeft)
		}
		if child.LastFailure != nil {
			line += fmt.Sprintf(", failed with %s", plain(fmt.Errorf("%v", child.LastFailure.Value)))
		}
		st.mu.Lock()
		st.lines = append(st.lines, line)
		st.mu.Unlock()
		st.draw(child, indent+"  ")
	}
}

func (st *stage) pid(path string) *actor.PID { return actor.NewPID(st.system.Address(), path) }

// ask sends a request to the child's supervisor and notes the answer when it comes.
func (st *stage) ask(what, path string, words []string) {
	i := strings.LastIndex(path, "/")
	above, name := path[:i], path[i+1:]
	var message any
	switch what {
	case "start-child":
		message = supervisor.StartChild{Child: st.child(above+"/", append([]string{name}, words...))}
	case "stop-child":
		message = supervisor.StopChild{Name: name}
	case "restart-child":
		message = supervisor.RestartChild{Name: name}
	case "delete-child":
		message = supervisor.DeleteChild{Name: name}
	}
	f := st.system.Root.RequestFuture(st.pid(above), message, time.Hour)
	go func() {
		answer, err := f.Result()
		if err != nil {
			st.answer("no answer: %v", err)
			return
		}
		reply := answer.(supervisor.ChildReply)
		if reply.Err != nil {
			st.answer("refused: %v", plain(reply.Err))
			return
		}
		st.answer("answered: %s %s", what, reply.Name)
	}()
}

// plain is the error without an incident id.
func plain(err error) string {
	text, _, _ := strings.Cut(err.Error(), " (incident")
	return text
}

func (st *stage) order(name, what string, times int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.orders[name] == nil {
		st.orders[name] = make(map[string]int)
	}
	st.orders[name][what] = times
}

// due says whether the child has to do it now.
func (st *stage) due(name, what string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.orders[name][what] == 0 {
		return false
	}
	st.orders[name][what]--
	return true
}

func (st *stage) hang(name string) {
	st.mu.Lock()
	ch := st.release[name]
	if ch == nil {
		ch = make(chan struct{})
		st.release[name] = ch
	}
	st.mu.Unlock()
	<-ch
}

func (st *stage) letGo(name string) {
	st.mu.Lock()
	ch := st.release[name]
	delete(st.release, name)
	st.mu.Unlock()
	if ch != nil {
		close(ch)
	}
}

// puppet makes props of a child that does what the scenario says.
func (st *stage) puppet() *actor.Props {
	return actor.PropsFromFunc(func(ctx actor.Context) {
		name := ctx.Self().Id
		switch m := ctx.Message().(type) {
		case *actor.Started:
			st.do(name, "start")
		case *actor.Stopping:
			st.do(name, "stop")
		case *actor.Stopped:
			st.do(name, "stopped")
		case order:
			switch m.what {
			case "fail":
				panic("told to")
			case "critical":
				panic(supervisor.Critical(errors.New("critical")))
			case "hang":
				st.hang(name)
			case "exit":
				supervisor.Exit(ctx, m.err)
			case "ping":
				st.say("%s is there", name)
			}
		}
	})
}

func (st *stage) do(name, when string) {
	if st.due(name, when+" fail") {
		panic(when + " fails")
	}
	if st.due(name, when+" hang") {
		st.hang(name)
	}
}
