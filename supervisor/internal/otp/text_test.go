package otp_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/understudy-go/understudy/supervisor/internal/otp"
)

// TestRefused wants of each text that it is refused, and for the right reason.
func TestRefused(t *testing.T) {
	const root = "-- x\nsupervisor root strategy=one_for_one intensity=1 period=5\n"
	const nested = root + "  worker a\n  supervisor s strategy=one_for_one intensity=1 period=5\n    worker b\n"
	const simple = "-- x\nsupervisor root strategy=simple_one_for_one intensity=1 period=5\n"
	for _, c := range []struct{ text, reason string }{
		{"worker a", "line 1: not expected here"},
		{"-- x\nworker a", "a tree begins with the supervisor root"},
		{"-- x\nsupervisor s strategy=one_for_one intensity=1 period=5", "a tree begins with the supervisor root"},
		{"-- x\n> start", "line 2: not expected here"},
		{"-- x", "x: no tree"},
		{"-- x\nsupervisor root strategy=two_for_one intensity=1 period=5", `unknown strategy "two_for_one"`},
		{"-- x\nsupervisor root strategy=one_for_one intensity=1", "period 0s: want"},
		{"-- x\nsupervisor root strategy=one_for_one intensity=-1 period=5", "intensity -1"},
		{"-- x\nsupervisor root strategy=one_for_one intensity=1 period=5 auto_shutdown=some", `unknown auto_shutdown "some"`},
		{root + "  worker a speed=1", "line 3: a: speed=1"},
		{root + "  worker a restart=often", `a: unknown restart type "often"`},
		{root + "  worker a shutdown=0", "shutdown=0"},
		{root + "  worker a\n  worker a", "the name a is used twice"},
		{root + "   worker a", "wrong indentation"},
		{root + "    worker a", "wrong indentation"},
		{root + "  worker a significant=true", "a cannot be significant here"},
		{root + "  worker a onstop=hang shutdown=infinity", "would hang for ever"},
		{root + "  supervisor s strategy=one_for_one intensity=1 period=5 shutdown=brutal_kill", "given infinity"},
		{simple, "exactly one child"},
		{simple + "  worker a\n  worker b", "exactly one child"},
		{root + "> dance", "line 3: not in the form"},
		{root + "> start & stop", "cannot happen together"},
		{root + "> exit a crash", "want a known name"},
		{root + "> exit root killed", "no supervisor killed"},
		{root + "  worker a\n> fail a 0", "at least one"},
		{root + "  worker a\n> fail a 1 with exit b crash", "want something about its supervisor"},
		{root + "  worker a\n> fail a 1 with wait 1", "want something about its supervisor"},
		{nested + "> exit a crash & exit b crash", "cannot happen together"},
		{nested + "> fail b 1 with stop", "want something about its supervisor"},
		{root + "  worker a\n> fail a 1 with", "not in the form"},
		{root + "  worker a\n> delete_child a b", "a is no supervisor"},
		{root + "  supervisor s strategy=one_for_one intensity=1 period=5\n    worker a\n> delete_child root a", "a is not root's"},
		{root + "> start_child root a", "specification of a worker"},
		{simple + "  worker a\n> start_child root worker b", "no specification"},
		{simple + "  worker a\n> start_child root b\n> start_child root b", "needs a new name"},
		{root + "  started a", "line 3: not expected here"},
		{root + "> start\n  finished a", "line 4: not in the form"},
		{root + "> start\n  stopped a", "line 4: not in the form"},
	} {
		if _, err := otp.Parse(c.text); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%q\ngot:  %v\nwant: %s", c.text, err, c.reason)
		}
	}
}

// TestRandomIsReadable wants what Random makes to be valid, and to come back from its text form as it was.
func TestRandomIsReadable(t *testing.T) {
	eachRandom(func(c otp.Case) {
		text := otp.Format([]otp.Case{c})
		read, err := otp.Parse(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if again := otp.Format(read); again != text {
			t.Fatalf("wrote\n%s\nread\n%s", text, again)
		}
	})
}

func eachRandom(f func(otp.Case)) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		x := otp.Mix{Depth: rng.IntN(4), Waits: rng.IntN(2) == 0, Races: rng.IntN(2) == 0}
		c := otp.Case{Name: "random"}
		c.Spec, c.Steps = x.Random(rng, 1+rng.IntN(20))
		c.Trace = otp.Run(c.Spec, c.Steps)
		f(c)
	}
}
