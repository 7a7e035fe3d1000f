// Package stats compares two servers that were measured in turn.
//
// Of each round there is one figure of either; what is compared is their ratio within the round, as whatever else the machine
// does in those seconds strikes both. The median of the rounds' ratios is the estimate: a round that went wrong does not move
// it. Its interval is a percentile bootstrap (B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics
// 7, 1979; Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13): the rounds are drawn with replacement,
// as many as there are, many times over; the interval holds the middle of the medians of what was drawn. It says how much the
// estimate would move if the same rounds were repeated in the same surroundings, not what another machine would show. With
// nine rounds it is a little narrower than its name says; with fewer than six it means little.
package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// Resamples is how often the bootstrap draws.
	Resamples = 10_000
	// Confidence is how much of the medians that were drawn an interval holds.
	Confidence = 0.95
)

// Estimate is a median with its interval. All are NaN if there was nothing to estimate from.
type Estimate struct{ Median, Low, High float64 }

// Ratios returns a[i]/b[i] of every round i in which both were measured: neither is NaN, and b[i] is not 0. It panics if
// they are not of the same length, as then they are not paired.
func Ratios(a, b []float64) []float64 {
	if len(a) != len(b) {
		panic("stats: the rounds of the two are not the same")
	}
	var ratios []float64
	for i := range a {
		if r := a[i] / b[i]; b[i] != 0 && !math.IsNaN(r) {
			ratios = append(ratios, r)
		}
	}
	return ratios
}

// Median returns the middle of the values, the mean of the two in the middle if their number is even, NaN if there are none.
// It leaves values as they are.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return medianOfSorted(slices.Sorted(slices.Values(values)))
}

func medianOfSorted(s []float64) float64 {
	middle := len(s) / 2
	if len(s)%2 == 1 {
		return s[middle]
	}
	return (s[middle-1] + s[middle]) / 2
}

// Bootstrap estimates the median of the values. The same values in the same order and the same seed give the same interval.
func Bootstrap(values []float64, seed uint64) Estimate {
	if len(values) == 0 {
		return Estimate{math.NaN(), math.NaN(), math.NaN()}
	}
	random := rand.New(rand.NewPCG(seed, 0))
	medians := make([]float64, Resamples)
	drawn := make([]float64, len(values))
	for i := range medians {
		for j := range drawn {
			drawn[j] = values[random.IntN(len(values))]
		}
		slices.Sort(drawn)
		medians[i] = medianOfSorted(drawn)
	}
	slices.Sort(medians)
	return Estimate{Median(values), quantile(medians, (1-Confidence)/2), quantile(medians, (1+Confidence)/2)}
}

// quantile returns the value below which the share q of the sorted values lies, interpolated between two (type 7 of Hyndman
// and Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50, 1996).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
