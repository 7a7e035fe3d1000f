package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/understudy-go/understudy/bench/internal/stats"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{3, 1}, 2},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
		{[]float64{1, 1, 1, 1, 1e9}, 1},
	} {
		before := slices.Clone(c.values)
		if got := stats.Median(c.values); got != c.want {
			t.Errorf("the median of %v is %v, want %v", c.values, got, c.want)
		}
		if !slices.Equal(before, c.values) {
			t.Errorf("Median has changed %v to %v", before, c.values)
		}
	}
	if got := stats.Median(nil); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v, want NaN", got)
	}
}

// A machine that is twice as slow in some rounds must not show in what is paired.
func TestRatiosArePaired(t *testing.T) {
	a := []float64{30, 15, 30, 7.5}
	b := []float64{10, 5, 10, 2.5}
	if got, want := stats.Ratios(a, b), []float64{3, 3, 3, 3}; !slices.Equal(got, want) {
		t.Errorf("ratios %v, want %v", got, want)
	}
	if e := stats.Bootstrap(stats.Ratios(a, b), 1); e != (stats.Estimate{Median: 3, Low: 3, High: 3}) {
		t.Errorf("equal ratios give %+v", e)
	}
	// Where a slow round strikes makes a difference only to what is not paired.
	if got := stats.Median(stats.Ratios([]float64{30, 15, 45, 7.5, 30}, []float64{10, 5, 10, 2.5, 12})); got != 3 {
		t.Errorf("the median of the ratios is %v, want 3", got)
	}
}

func TestRatiosLeaveOutWhatIsMissing(t *testing.T) {
	nan := math.NaN()
	if got, want := stats.Ratios([]float64{1, nan, 3, 4, 0}, []float64{1, 1, nan, 0, 2}), []float64{1, 0}; !slices.Equal(got, want) {
		t.Errorf("ratios %v, want %v", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("rounds that do not pair were taken")
		}
	}()
	stats.Ratios([]float64{1}, nil)
}

func TestBootstrapIsSeeded(t *testing.T) {
	values := normal(rand.New(rand.NewPCG(7, 7)), 50) // of nine, the quantiles are nearly always the same two rounds
	if a, b := stats.Bootstrap(values, 5), stats.Bootstrap(values, 5); a != b {
		t.Errorf("the same seed gives %+v and %+v", a, b)
	}
	differ := false
	for seed := range uint64(20) {
		differ = differ || stats.Bootstrap(values, seed) != stats.Bootstrap(values, 99)
	}
	if !differ {
		t.Error("twenty seeds give the same interval: it is not drawn by chance")
	}
}

// The interval of nine rounds must hold the true median about as often as it says. By theory it is somewhat less often for so
// few; what must not be is an interval that holds it nearly always (useless) or much too seldom (false).
func TestBootstrapCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const trials = 100
	held := 0
	for i := range trials {
		e := stats.Bootstrap(normal(random, 9), uint64(i))
		if e.Low > e.Median || e.Median > e.High {
			t.Fatalf("the median is outside of its interval: %+v", e)
		}
		if e.Low <= 1 && 1 <= e.High {
			held++
		}
	}
	if share := float64(held) / trials; share < 0.86 || share > 0.995 {
		t.Errorf("%.1f%% of the intervals hold the true median", 100*share)
	}
}

func TestBootstrapNarrows(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	few, many := stats.Bootstrap(normal(random, 9), 1), stats.Bootstrap(normal(random, 400), 1)
	if many.High-many.Low > (few.High-few.Low)/2 {
		t.Errorf("400 rounds give %+v, 9 rounds %+v", many, few)
	}
	if e := stats.Bootstrap(nil, 1); !math.IsNaN(e.Median) || !math.IsNaN(e.Low) || !math.IsNaN(e.High) {
		t.Errorf("nothing gives %+v", e)
	}
	if e := stats.Bootstrap([]float64{2}, 1); e != (stats.Estimate{Median: 2, Low: 2, High: 2}) {
		t.Errorf("one round gives %+v", e)
	}
}

// normal returns n values around 1.
func normal(random *rand.Rand, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = 1 + 0.05*random.NormFloat64()
	}
	return values
}
