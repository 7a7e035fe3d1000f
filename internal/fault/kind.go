package fault

import "slices"

// kind is what a fault does to whom it strikes.
type kind struct {
	name     string
	keys     []string // the keys that only some kinds know, over commonKeys
	needs    []string // of keys, those that may not be left out
	blocks   bool     // a strike may block its caller, so only a worker may be struck: no other actor's Receive blocks
	released bool     // Injector.Release ends a strike that is under way, and there are none after it

	// strike is called on the goroutine of the one who is struck. released is closed by Injector.Release.
	strike func(s Spec, released <-chan struct{})
}

// kinds holds every kind there is, in the order in which errors name them.
var kinds = []*kind{&panicKind, &slowKind, &hangKind}

// commonKeys are known to every kind.
var commonKeys = []string{"p", "after", "count", "seed"}

// Kinds returns the names of the kinds of fault that can be injected.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

func kindNamed(name string) *kind {
	i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == name })
	if i < 0 {
		return nil
	}
	return kinds[i]
}

// allKeys returns what k knows, common keys first.
func (k *kind) allKeys() []string { return slices.Concat(commonKeys, k.keys) }

// targets returns the kinds of actor that k may strike.
func (k *kind) targets() []string {
	if k.blocks {
		return []string{"worker"}
	}
	return targetKinds
}
