package fault_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/understudy-go/understudy/internal/fault"
)

func TestParseReadsWhatStringWrites(t *testing.T) {
	for _, c := range []struct{ text, canonical string }{
		{"panic worker/*", "panic worker/*"},
		{"panic worker/* p=0.01 seed=7", "panic worker/* p=0.01 seed=7"},
		{"  panic\tworker/3   seed=7 p=1e-2 ", "panic worker/3 p=0.01 seed=7"},
		{"panic worker/* p=1 after=0 seed=0", "panic worker/*"},
		{"panic worker/* p=0", "panic worker/* p=0"},
		{"panic worker/* p=-0", "panic worker/* p=0"},
		{"slow worker/* delay=50ms", "slow worker/* delay=50ms"},
		{"slow worker/2 delay=1500ms count=3 after=100", "slow worker/2 after=100 count=3 delay=1.5s"},
		{"panic worker/* seed=18446744073709551615", "panic worker/* seed=18446744073709551615"},
		{"hang worker/*", "hang worker/*"},
		{"hang worker/2 for=90s count=1 after=100", "hang worker/2 after=100 count=1 for=1m30s"},
		{"panic session/* p=0.5", "panic session/* p=0.5"},
		{"panic session/12", "panic session/12"},
		{"panic acceptor/*", "panic acceptor/*"},
		{"panic acceptor/1 count=1", "panic acceptor/1 count=1"},
		{"panic pool after=3", "panic pool after=3"},
		{"panic session/* every=500ms", "panic session/* every=500ms"},
		{"panic worker/* every=1000ms seed=7 count=3", "panic worker/* count=3 seed=7 every=1s"},
		{"panic pool every=1h", "panic pool every=1h0m0s"},
	} {
		spec, err := fault.Parse(c.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.text, err)
			continue
		}
		if got := spec.String(); got != c.canonical {
			t.Errorf("Parse(%q).String() = %q, want %q", c.text, got, c.canonical)
		}
	}
}

func TestParseNamesTheWrongWord(t *testing.T) {
	for _, c := range []struct {
		text    string
		word    int
		problem string
	}{
		{"", 0, "it is empty; it reads KIND TARGET [key=value]…; kinds: panic, slow, hang"},
		{"  ", 0, "it is empty; it reads KIND TARGET [key=value]…; kinds: panic, slow, hang"},
		{"panik worker/*", 1, `unknown kind "panik" (word 1); kinds: panic, slow, hang`},
		{"hung worker/*", 1, `unknown kind "hung" (word 1); kinds: panic, slow, hang`},
		{"Panic worker/*", 1, `unknown kind "Panic" (word 1); kinds: panic, slow, hang`},
		{"panic", 0, `no target after "panic"; targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic wroker/* p=0.01", 2, `unknown target "wroker/*" (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic worker", 2, `unknown target "worker" (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic session", 2, `unknown target "session" (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic Session/*", 2, `unknown target "Session/*" (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic acceptor/x", 2, `target "acceptor/x" has no whole number from 1 after the slash (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic pool/*", 2, `target "pool/*" has a slash, and there is one pool only (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic pool/1", 2, `target "pool/1" has a slash, and there is one pool only (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"slow", 0, `no target after "slow"; targets of slow: worker/*, worker/N`},
		{"slow session/* delay=1s", 2, `slow strikes workers only, as no other actor may block: not "session/*" (word 2); targets of slow: worker/*, worker/N`},
		{"hang session/3", 2, `hang strikes workers only, as no other actor may block: not "session/3" (word 2); targets of hang: worker/*, worker/N`},
		{"hang acceptor/* for=1s", 2, `hang strikes workers only, as no other actor may block: not "acceptor/*" (word 2); targets of hang: worker/*, worker/N`},
		{"hang pool", 2, `hang strikes workers only, as no other actor may block: not "pool" (word 2); targets of hang: worker/*, worker/N`},
		{"hang sesion/*", 2, `unknown target "sesion/*" (word 2); targets of hang: worker/*, worker/N`},
		{"panic p=0.01", 2, `unknown target "p=0.01" (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic worker/", 2, `target "worker/" has no whole number from 1 after the slash (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic worker/0", 2, `target "worker/0" has no whole number from 1 after the slash (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic worker/-1", 2, `target "worker/-1" has no whole number from 1 after the slash (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic worker/2/3", 2, `target "worker/2/3" has no whole number from 1 after the slash (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic worker/99999999999", 2, `target "worker/99999999999" has no whole number from 1 after the slash (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`},
		{"panic worker/* 0.01", 3, `"0.01" (word 3) is not key=value; keys of panic: p, after, count, seed, every`},
		{"panic worker/* p = 0.01", 3, `"p" (word 3) is not key=value; keys of panic: p, after, count, seed, every`},
		{"panic worker/* for=500ms", 3, `unknown key "for" (word 3); keys of panic: p, after, count, seed, every`},
		{"slow worker/* every=500ms", 3, `unknown key "every" (word 3); keys of slow: p, after, count, seed, delay`},
		{"hang worker/* every=500ms", 3, `unknown key "every" (word 3); keys of hang: p, after, count, seed, for`},
		{"hang worker/* delay=500ms", 3, `unknown key "delay" (word 3); keys of hang: p, after, count, seed, for`},
		{"panic pool p=1 every=1s", 4, `every (word 4) does not go with p (word 3); keys that go with every: count, seed`},
		{"panic pool every=1s seed=1 p=0.5", 5, `p (word 5) does not go with every (word 3); keys that go with every: count, seed`},
		{"panic pool after=0 count=1 every=1s", 5, `every (word 5) does not go with after (word 3); keys that go with every: count, seed`},
		{"panic pool every=1s after=1", 4, `after (word 4) does not go with every (word 3); keys that go with every: count, seed`},
		{"panic pool every=1s every=1s", 4, `key "every" is given twice (words 3 and 4)`},
		{"slow worker/* delay=1s for=3s", 4, `unknown key "for" (word 4); keys of slow: p, after, count, seed, delay`},
		{"panic worker/* delay=50ms", 3, `unknown key "delay" (word 3); keys of panic: p, after, count, seed, every`},
		{"panic worker/* =1", 3, `unknown key "" (word 3); keys of panic: p, after, count, seed, every`},
		{"panic worker/* p=0.1 seed=1 p=0.1", 5, `key "p" is given twice (words 3 and 5)`},
		{"panic worker/* p=", 3, `bad value "" for p (word 3): want a number from 0 to 1`},
		{"panic worker/* p=1.5", 3, `bad value "1.5" for p (word 3): want a number from 0 to 1`},
		{"panic worker/* p=-0.1", 3, `bad value "-0.1" for p (word 3): want a number from 0 to 1`},
		{"panic worker/* p=NaN", 3, `bad value "NaN" for p (word 3): want a number from 0 to 1`},
		{"panic worker/* p=1%", 3, `bad value "1%" for p (word 3): want a number from 0 to 1`},
		{"panic worker/* p=0=1", 3, `bad value "0=1" for p (word 3): want a number from 0 to 1`},
		{"panic worker/* after=-1", 3, `bad value "-1" for after (word 3): want a whole number from 0`},
		{"panic worker/* after=1.5", 3, `bad value "1.5" for after (word 3): want a whole number from 0`},
		{"panic worker/* count=0", 3, `bad value "0" for count (word 3): want a whole number from 1`},
		{"panic worker/* count=x", 3, `bad value "x" for count (word 3): want a whole number from 1`},
		{"panic worker/* seed=-1", 3, `bad value "-1" for seed (word 3): want a whole number from 0 to 18446744073709551615`},
		{"slow worker/*", 0, "slow needs delay=…"},
		{"slow worker/* p=0.5", 0, "slow needs delay=…"},
		{"slow worker/* delay=50", 3, `bad value "50" for delay (word 3): want a duration over 0, such as 50ms`},
		{"slow worker/* delay=0s", 3, `bad value "0s" for delay (word 3): want a duration over 0, such as 50ms`},
		{"hang worker/* for=0s", 3, `bad value "0s" for for (word 3): want a duration over 0, such as 50ms`},
		{"hang worker/* for=ever", 3, `bad value "ever" for for (word 3): want a duration over 0, such as 50ms`},
		{"panic pool every=0s", 3, `bad value "0s" for every (word 3): want a duration over 0, such as 50ms`},
		{"panic pool every=-1s", 3, `bad value "-1s" for every (word 3): want a duration over 0, such as 50ms`},
		{"panic pool every=2", 3, `bad value "2" for every (word 3): want a duration over 0, such as 50ms`},
		{"slow worker/* delay=-1s", 3, `bad value "-1s" for delay (word 3): want a duration over 0, such as 50ms`},
	} {
		spec, err := fault.Parse(c.text)
		syntax, ok := errors.AsType[*fault.SyntaxError](err)
		if !ok {
			t.Errorf("Parse(%q) = %v, %v; want a *SyntaxError", c.text, spec, err)
			continue
		}
		if syntax.Text != c.text || syntax.Word != c.word || syntax.Problem != c.problem {
			t.Errorf("Parse(%q) is wrong at word %d: %s\nwant word %d: %s", c.text, syntax.Word, syntax.Problem, c.word, c.problem)
		}
		if spec != (fault.Spec{}) {
			t.Errorf("Parse(%q) failed and returned the Spec %q", c.text, spec)
		}
	}
}

func TestErrorIsOneLine(t *testing.T) {
	_, err := fault.Parse("panic wroker/* p=0.01")
	want := `fault "panic wroker/* p=0.01": unknown target "wroker/*" (word 2); targets of panic: worker/*, worker/N, session/*, session/N, acceptor/*, acceptor/N, pool`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, err = fault.Parse("panic\nworker/*\np=\x07")
	if err == nil || strings.ContainsAny(err.Error(), "\n\x07") {
		t.Errorf("an error with control characters: %q", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"panic worker/* p=0.01 seed=7", "slow worker/2 delay=50ms after=1 count=2", "panic", "", "panic worker/0",
		"panic pool every=1.5s count=2", "hang worker/* for=1m after=100", "panic session/3 every=1s p=1", "hang session/*",
		"panic worker/* p=NaN", "slow worker/* delay=1h2m3.5s", "panic worker/* p=-0", "panic worker/* p=1e-320",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := fault.Parse(text)
		if err != nil {
			if strings.ContainsRune(err.Error(), '\n') {
				t.Fatalf("Parse(%q) fails with more than a line: %q", text, err)
			}
			return
		}
		again, err := fault.Parse(spec.String())
		if err != nil || again != spec {
			t.Fatalf("Parse(%q) is %q, which reads back as %q, %v", text, spec, again, err)
		}
	})
}
