package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SyntaxError says what is wrong with the text of a fault, and where. It fits one line.
type SyntaxError struct {
	Text    string // the whole text
	Word    int    // which word is wrong, counted from 1; 0 if one is missing
	Problem string // what is wrong with it and, where there is a choice, what is known
}

// Error returns one line that holds the text and the problem.
func (e *SyntaxError) Error() string { return fmt.Sprintf("fault %q: %s", e.Text, e.Problem) }

// Parse reads a fault as the package's comment describes it. Words are separated by white space. The error is a *SyntaxError.
func Parse(text string) (Spec, error) {
	spec, err := parseWords(strings.Fields(text))
	if err != nil {
		err.Text = text
		return Spec{}, err
	}
	return spec, nil
}

// parseWords reads the words of a fault; its error lacks the text.
func parseWords(words []string) (Spec, *SyntaxError) {
	if len(words) == 0 {
		return Spec{}, missing("it is empty; it reads KIND TARGET [key=value]…; kinds: %s", list(Kinds()))
	}
	kind := kindNamed(words[0])
	if kind == nil {
		return Spec{}, wrong(1, "unknown kind %q (word 1); kinds: %s", words[0], list(Kinds()))
	}
	if len(words) == 1 {
		return Spec{}, missing("no target after %q; targets of %s: %s", kind.name, kind.name, list(targetForms(kind.targets())))
	}
	target, err := parseTarget(words[1])
	if err == nil && !slices.Contains(kind.targets(), target.kind) {
		err = fmt.Errorf("%s strikes workers only, as no other actor may block: not %q", kind.name, words[1])
	}
	if err != nil {
		return Spec{}, wrong(2, "%v (word 2); targets of %s: %s", err, kind.name, list(targetForms(kind.targets())))
	}

	spec := Spec{kind: kind, target: target, p: 1}
	placed := map[string]int{} // key to the number of its word
	for i, word := range words[2:] {
		n := i + 3
		key, value, found := strings.Cut(word, "=")
		switch {
		case !found:
			return Spec{}, wrong(n, "%q (word %d) is not key=value; keys of %s: %s", word, n, kind.name, list(kind.allKeys()))
		case !slices.Contains(kind.allKeys(), key):
			return Spec{}, wrong(n, "unknown key %q (word %d); keys of %s: %s", key, n, kind.name, list(kind.allKeys()))
		case placed[key] != 0:
			return Spec{}, wrong(n, "key %q is given twice (words %d and %d)", key, placed[key], n)
		}
		if other := clash(key, placed); other != "" {
			return Spec{}, wrong(n, "%s (word %d) does not go with %s (word %d); keys that go with every: %s",
				key, n, other, placed[other], list(slices.DeleteFunc(slices.Clone(commonKeys), clashesWithEvery)))
		}
		placed[key] = n
		if wanted := spec.set(key, value); wanted != "" {
			return Spec{}, wrong(n, "bad value %q for %s (word %d): want %s", value, key, n, wanted)
		}
	}
	for _, key := range kind.needs {
		if placed[key] == 0 {
			return Spec{}, missing("%s needs %s=…", kind.name, key)
		}
	}
	return spec, nil
}

// clash returns which of the keys that are placed already does not go with key, or "".
func clash(key string, placed map[string]int) string {
	if clashesWithEvery(key) && placed["every"] != 0 {
		return "every"
	}
	if key == "every" {
		for _, other := range commonKeys {
			if clashesWithEvery(other) && placed[other] != 0 {
				return other
			}
		}
	}
	return ""
}

// clashesWithEvery says of which keys every takes the place.
func clashesWithEvery(key string) bool { return key == "p" || key == "after" }

// set puts the value of a key, or returns what it should have been.
func (s *Spec) set(key, value string) (wanted string) {
	var err error
	switch key {
	case "p":
		s.p, err = strconv.ParseFloat(value, 64)
		if err != nil || !(s.p >= 0 && s.p <= 1) { // written so that NaN is refused too
			return "a number from 0 to 1"
		}
		s.p += 0 // -0 becomes 0
	case "after":
		s.after, err = strconv.ParseInt(value, 10, 64)
		if err != nil || s.after < 0 {
			return "a whole number from 0"
		}
	case "count":
		s.count, err = strconv.ParseInt(value, 10, 64)
		if err != nil || s.count < 1 {
			return "a whole number from 1"
		}
	case "seed":
		s.seed, err = strconv.ParseUint(value, 10, 64)
		if err != nil {
			return "a whole number from 0 to 18446744073709551615"
		}
	case "delay":
		return setDuration(&s.delay, value)
	case "for":
		return setDuration(&s.hold, value)
	case "every":
		return setDuration(&s.every, value)
	}
	return ""
}

func setDuration(d *time.Duration, value string) (wanted string) {
	var err error
	if *d, err = time.ParseDuration(value); err != nil || *d <= 0 {
		return "a duration over 0, such as 50ms"
	}
	return ""
}

func wrong(word int, format string, args ...any) *SyntaxError {
	return &SyntaxError{Word: word, Problem: fmt.Sprintf(format, args...)}
}

func missing(format string, args ...any) *SyntaxError { return wrong(0, format, args...) }

func list(words []string) string { return strings.Join(words, ", ") }
