package fault

import (
	"strconv"
	"strings"
	"time"
)

// Spec says which fault strikes whom, and how often. [Parse] makes one; the zero Spec strikes nobody. Two Specs that say the
// same are equal with ==.
type Spec struct {
	kind   *kind
	target target
	p      float64       // the chance of each strike, from 0 to 1
	after  int64         // how many are spared first
	count  int64         // how many are struck in all; 0 is no limit
	seed   uint64        // fixes which are struck
	delay  time.Duration // how long slow waits; 0 for the other kinds
	hold   time.Duration // how long hang hangs, for=; 0 is until released, and for the other kinds
	every  time.Duration // how often one is picked, in place of p and after; 0 is not by the clock
}

// String returns the Spec in its shortest form, which [Parse] reads back to an equal one: keys in a fixed order, and those
// left out that say what is so anyway. The zero Spec is the empty string.
func (s Spec) String() string {
	if s.kind == nil {
		return ""
	}
	words := []string{s.kind.name, s.target.String()}
	if s.p != 1 {
		words = append(words, "p="+strconv.FormatFloat(s.p, 'g', -1, 64))
	}
	if s.after != 0 {
		words = append(words, "after="+strconv.FormatInt(s.after, 10))
	}
	if s.count != 0 {
		words = append(words, "count="+strconv.FormatInt(s.count, 10))
	}
	if s.seed != 0 {
		words = append(words, "seed="+strconv.FormatUint(s.seed, 10))
	}
	if s.delay != 0 {
		words = append(words, "delay="+s.delay.String())
	}
	if s.hold != 0 {
		words = append(words, "for="+s.hold.String())
	}
	if s.every != 0 {
		words = append(words, "every="+s.every.String())
	}
	return strings.Join(words, " ")
}

// picks decides the strike with that ordinal, counted from 1: not by what was decided before, but by the seed and the ordinal
// alone, so that the same seed picks the same ordinals whatever runs at the same time.
func (s Spec) picks(ordinal int64) bool {
	if ordinal <= s.after {
		return false
	}
	// 53 bits are what a float64 holds exactly, so p=1 picks every ordinal and p=0 none.
	return float64(splitmix64(s.seed, uint64(ordinal))>>11)/(1<<53) < s.p
}

// splitmix64 returns the n-th output of the generator of that name started at seed (Steele, Lea and Flood, "Fast Splittable
// Pseudorandom Number Generators", OOPSLA 2014, in the constants of Vigna's public-domain splitmix64.c).
func splitmix64(seed, n uint64) uint64 {
	z := seed + n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
