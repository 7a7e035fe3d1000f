//go:build model

package model_test

import (
	"testing"

	"github.com/understudy-go/understudy/internal/model"
)

var scenarios = []model.Scenario{
	{Name: "no faults", Bursts: []int8{3, 1}, Workers: 2, Queue: 4},
	{Name: "full queue", Bursts: []int8{2}, Workers: 1, Queue: 1, Spread: true, Expires: 1, Drops: 1},
	{Name: "full queue, stall", Bursts: []int8{1, 1}, Workers: 1, Queue: 0, Expires: 1, Stalls: 1},
	{Name: "drain", Bursts: []int8{3, 1}, Workers: 2, Queue: 4, Expires: 1, Drops: 1},
	{Name: "drain, crash", Bursts: []int8{2}, Workers: 2, Queue: 4, Expires: 1, Crashes: 1},
	{Name: "drain, stall", Bursts: []int8{2}, Workers: 2, Queue: 4, Expires: 1, Stalls: 1},
	{Name: "drain, deadline", Bursts: []int8{1}, Workers: 1, Queue: 4, Expires: 1, Deadlines: 1},
	{Name: "spread", Bursts: []int8{2, 1}, Workers: 2, Queue: 4, Spread: true},
	{Name: "spread, drain", Bursts: []int8{2}, Workers: 2, Queue: 4, Spread: true, Expires: 1, Drops: 1},
	{Name: "spread, deadline, drain", Bursts: []int8{1}, Workers: 1, Queue: 4, Spread: true, Deadlines: 1, Expires: 1},
	{Name: "goexit", Bursts: []int8{2, 1}, Workers: 2, Queue: 4, Goexits: 1},
	{Name: "crash", Bursts: []int8{3, 1}, Workers: 2, Queue: 4, Crashes: 1},
	{Name: "crash, disconnect", Bursts: []int8{2, 1}, Workers: 2, Queue: 4, Drops: 1, Crashes: 1},
	{Name: "retry", Bursts: []int8{3}, Workers: 2, Queue: 4, Crashes: 1, Retries: 1},
	{Name: "retry twice", Bursts: []int8{2}, Workers: 1, Queue: 4, Crashes: 2, Retries: 2},
	{Name: "retry, then crash", Bursts: []int8{2}, Workers: 1, Queue: 4, Crashes: 2, Retries: 1},
	{Name: "retry, goexit", Bursts: []int8{2, 1}, Workers: 2, Queue: 4, Goexits: 1, Retries: 1},
	{Name: "retry, disconnect", Bursts: []int8{2}, Workers: 2, Queue: 4, Drops: 1, Crashes: 1, Retries: 1},
	{Name: "retry, drain", Bursts: []int8{2}, Workers: 1, Queue: 4, Expires: 1, Crashes: 1, Retries: 1},
	{Name: "retry, stall", Bursts: []int8{2}, Workers: 2, Queue: 4, Stalls: 1, Crashes: 1, Retries: 1},
	{Name: "stall", Bursts: []int8{3}, Workers: 2, Queue: 4, Stalls: 1},
	{Name: "stall, crash", Bursts: []int8{2}, Workers: 2, Queue: 4, Stalls: 1, Crashes: 1},
	{Name: "slow", Bursts: []int8{3}, Workers: 1, Queue: 4, Reliefs: 1},
	{Name: "slow, drain", Bursts: []int8{2}, Workers: 1, Queue: 4, Reliefs: 1, Expires: 1},
	{Name: "slow, full queue", Bursts: []int8{3}, Workers: 1, Queue: 1, Reliefs: 1},
	{Name: "slow, stall", Bursts: []int8{3}, Workers: 1, Queue: 4, Reliefs: 1, Stalls: 1},
	{Name: "stall, disconnect", Bursts: []int8{2}, Workers: 2, Queue: 4, Drops: 1, Stalls: 1},
	{Name: "stall, next burst", Bursts: []int8{1, 1}, Workers: 2, Queue: 4, Stalls: 1},
	{Name: "stall, three bursts", Bursts: []int8{1, 1, 1}, Workers: 1, Queue: 4, Stalls: 1},
	{Name: "restart", Bursts: []int8{1, 1}, Workers: 2, Queue: 4, Restarts: 1},
	{Name: "deadline, next burst", Bursts: []int8{1, 1}, Workers: 1, Queue: 4, Deadlines: 1},
	{Name: "hang", Bursts: []int8{2}, Workers: 1, Queue: 4, Deadlines: 1, Hangs: 1},
}

func TestModel(t *testing.T) {
	for _, sc := range scenarios {
		t.Run(sc.Name, func(t *testing.T) {
			r := model.Check(sc)
			if r.Violated != "" {
				t.Fatal(r)
			}
			t.Logf("%d states", r.States)
		})
	}
}

// provedBy names, for each guard, a scenario that needs it.
var provedBy = map[model.Guard]string{
	model.BeginSwaps:         "drain",
	model.HandledSwaps:       "drain",
	model.SeizeSwaps:         "drain",
	model.Epoch:              "stall, next burst",
	model.DetachingPhase:     "stall",
	model.WaitsWhileDetached: "stall, next burst",
	model.GoesOnAfterRelief:  "slow",
	model.DetachByAnswered:   "slow, stall",
	model.AloneEnds:          "stall",
	model.DetachEmpties:      "stall",
	model.MarkCuts:           "crash",
	model.KeptWhenDetached:   "stall",
	model.KeptWhenCrashed:    "crash",
	model.OnlyDoneRecycles:   "drain",
	model.CompleteFirst:      "full queue",
	model.RejectTakesOver:    "full queue",
	model.LateTakesOver:      "spread, deadline, drain",
	model.SplitLooks:         "spread, drain",
	model.RetryByAnswered:    "retry, stall",
	model.PushThenLook:       "full queue",
	model.OfferThenLook:      "deadline, next burst",
	model.SealedRefuses:      "drain",
	model.ClosedRefuses:      "drain",
	model.WokenFirst:         "no faults",
	model.RefusedIsNotInline: "restart",
	model.GoexitIsNotInline:  "goexit",
	model.ExpiredIsNotInline: "hang",
	model.ReaderEpoch:        "stall, three bursts",
	model.ExpiresWhatItSaw:   "hang",
	model.LooksAgain:         "deadline, next burst",
}

// The model finds what goes wrong without each guard. The traces are printed under -v.
func TestEveryGuardMatters(t *testing.T) {
	for _, g := range model.Needed() {
		t.Run(g.String(), func(t *testing.T) {
			r := model.Check(scenario(t, provedBy[g]), g)
			if r.Violated == "" {
				t.Fatalf("without it, nothing goes wrong in %d states", r.States)
			}
			t.Log(r)
		})
	}
}

// What the code need not ask, it asks for safety's sake: should one of these come to matter, this says so.
func TestSpareGuards(t *testing.T) {
	for _, g := range model.Spare() {
		for _, name := range []string{"full queue", "drain", "drain, crash", "drain, deadline", "stall, disconnect", "slow, drain", "retry, disconnect", "retry, drain", "retry, stall"} {
			if r := model.Check(scenario(t, name), g); r.Violated != "" {
				t.Errorf("%s is needed in %q: %v", g, name, r)
			}
		}
	}
}

func scenario(t *testing.T, name string) model.Scenario {
	t.Helper()
	for _, sc := range scenarios {
		if sc.Name == name {
			return sc
		}
	}
	t.Fatalf("no scenario %q", name)
	return model.Scenario{}
}
