package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// targetKinds are the kinds of actor that a fault can strike.
var targetKinds = []string{"worker", "session", "acceptor", pool}

// pool is the kind of which there is one actor, without a number.
const pool = "pool"

// target names actors by kind and number.
type target struct {
	kind   string
	number int // counted from 1; 0 is every one
}

// parseTarget reads KIND/*, KIND/N or pool. Its error is a phrase without the word's place.
func parseTarget(word string) (target, error) {
	if word == pool {
		return target{kind: pool}, nil
	}
	kind, number, found := strings.Cut(word, "/")
	if !found || !slices.Contains(targetKinds, kind) {
		return target{}, fmt.Errorf("unknown target %q", word)
	}
	if kind == pool {
		return target{}, fmt.Errorf("target %q has a slash, and there is one pool only", word)
	}
	if number == "*" {
		return target{kind: kind}, nil
	}
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil || n == 0 {
		return target{}, fmt.Errorf("target %q has no whole number from 1 after the slash", word)
	}
	return target{kind: kind, number: int(n)}, nil
}

// targetForms lists how targets of these kinds are written, for errors.
func targetForms(kinds []string) []string {
	var forms []string
	for _, kind := range kinds {
		if kind == pool {
			forms = append(forms, pool)
			continue
		}
		forms = append(forms, kind+"/*", kind+"/N")
	}
	return forms
}

// String returns the target as parseTarget reads it.
func (t target) String() string {
	switch {
	case t.kind == pool:
		return pool
	case t.number == 0:
		return t.kind + "/*"
	default:
		return t.kind + "/" + strconv.Itoa(t.number)
	}
}

// matches says whether t means the actor with that kind and number.
func (t target) matches(kind string, number int) bool {
	return t.kind == kind && (t.number == 0 || t.number == number)
}
