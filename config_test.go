package understudy_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/understudy-go/understudy"
)

// The documentation's table of defaults says what the code does.
func TestConfigurationTable(t *testing.T) {
	doc, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for field, value := range map[string]any{
		"Queue":            understudy.DefaultQueue,
		"Window":           understudy.DefaultWindow,
		"WindowBytes":      understudy.DefaultWindowBytes,
		"MaxDetached":      understudy.DefaultMaxDetached,
		"MaxFrame":         understudy.DefaultMaxFrame,
		"ReadBuffer":       understudy.DefaultReadBuffer,
		"WriteBuffer":      understudy.DefaultWriteBuffer,
		"Deadline":         understudy.DefaultDeadline,
		"Stall":            understudy.DefaultStall,
		"Drain":            understudy.DefaultDrain,
		"Grace":            understudy.DefaultGrace,
		"Linger":           understudy.DefaultLinger,
		"FirstByteTimeout": understudy.DefaultFirstByte,
		"IdleTimeout":      understudy.DefaultIdle,
		"FrameTimeout":     understudy.DefaultFrameTimeout,
		"WriteTimeout":     understudy.DefaultWriteTimeout,
		"KeepAlive":        understudy.DefaultKeepAlive,
		"Listen":           understudy.DefaultListen,
	} {
		found := false
		for line := range strings.Lines(string(doc)) {
			cells := strings.Split(line, "|")
			if len(cells) > 2 && strings.HasPrefix(strings.TrimSpace(cells[1]), "`"+field+"`") {
				found = strings.TrimSpace(cells[2]) == fmt.Sprintf("`%v`", value)
			}
		}
		if !found {
			t.Errorf("docs/configuration.md does not say that %s is `%v`", field, value)
		}
	}
}

// What is wrong with a configuration is named by field, value and bound, all of it at once.
func TestValidate(t *testing.T) {
	err := understudy.Config{
		Listen:  []string{"tcp://nowhere", "unix:///tmp/ok"},
		Workers: 4097,
		Window:  -1,
		Drain:   time.Nanosecond,
		Faults:  []string{"panic wroker/*"},
	}.Validate()
	for _, want := range []string{"tcp://nowhere", "Workers is 4097", "from 1 to 4096", "Window is -1", "Drain is 1ns", "at least 1ms", "wroker"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	if err := (understudy.Config{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
}
