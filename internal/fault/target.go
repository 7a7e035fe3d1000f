package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// targetKinds are the kinds of actor that a fault can strike.
var targetKinds = []string{"worker"}

// target names actors by kind and number.
type target struct {
	kind   string
	number int // counted from 1; 0 is every one
}

// parseTarget reads KIND/* or KIND/N. Its error is a phrase without the word's place.
func parseTarget(word string) (target, error) {
	kind, number, found := strings.Cut(word, "/")
	if !found || !slices.Contains(targetKinds, kind) {
		return target{}, fmt.Errorf("unknown target %q", word)
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

// targetForms lists what parseTarget takes, for errors.
func targetForms() []string {
	var forms []string
	for _, kind := range targetKinds {
		forms = append(forms, kind+"/*", kind+"/N")
	}
	return forms
}

// String returns the target as parseTarget reads it.
func (t target) String() string {
	if t.number == 0 {
		return t.kind + "/*"
	}
	return t.kind + "/" + strconv.Itoa(t.number)
}

// matches says whether t means the actor with that kind and number.
func (t target) matches(kind string, number int) bool {
	return t.kind == kind && (t.number == 0 || t.number == number)
}
