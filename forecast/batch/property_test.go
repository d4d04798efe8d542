package batch

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// sound reports what is wrong with an answer.
func sound(tb rapid.TB, values []float64, horizon int, a Answer) {
	tb.Helper()
	if len(a.Mean) != horizon || len(a.Quantiles) != horizon || a.Note == "" {
		tb.Fatalf("%d points, %d rows, note %q for %d steps", len(a.Mean), len(a.Quantiles), a.Note, horizon)
	}
	negative := slices.ContainsFunc(values, func(v float64) bool { return v < 0 })
	levels := forecast.Levels()
	for j, q := range a.Quantiles {
		if len(q) != len(levels) || !slices.IsSorted(q) {
			tb.Fatalf("step %d: %v is not ascending", j, q)
		}
		if q[slices.Index(levels, 0.5)] != a.Mean[j] {
			tb.Fatalf("step %d: the median of %v is not the point %v", j, q, a.Mean[j])
		}
		for _, v := range q {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 && !negative {
				tb.Fatalf("step %d: %v", j, q)
			}
		}
	}
}

// oddValue draws what a series may hold, and what it should not.
func oddValue() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Float64Range(0, 100),
		rapid.Float64Range(-1e3, 1e3),
		rapid.SampledFrom([]float64{0, 1, 5, 1e12, -1e12, 1e-300, 1e300, math.NaN(), math.Inf(1), math.Inf(-1)}),
		rapid.Float64(),
	)
}

// oddSeries draws series of any kind: noise, a wave, a constant, with pieces
// missing and values that do not belong.
func oddSeries(t *rapid.T) []float64 {
	n := rapid.IntRange(1, 400).Draw(t, "length")
	level := rapid.SampledFrom([]float64{0, 1e-9, 1, 40, 1e9, -7}).Draw(t, "level")
	swing := rapid.SampledFrom([]float64{0, 0.3, 1, 3}).Draw(t, "swing")
	season := rapid.IntRange(2, 60).Draw(t, "period")
	x := make([]float64, n)
	for i := range x {
		x[i] = level * (1 + swing*math.Sin(2*math.Pi*float64(i)/float64(season)))
	}
	odd := rapid.SliceOfN(oddValue(), 0, 30).Draw(t, "odd values")
	for _, v := range odd {
		x[rapid.IntRange(0, n-1).Draw(t, "where")] = v
	}
	return x
}

func TestAnySeriesHasFiniteAscendingQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := oddSeries(t)
		o := Options{Horizon: rapid.IntRange(1, 90).Draw(t, "horizon")}
		if rapid.Bool().Draw(t, "seasons") {
			o.Seasons = rapid.SliceOfN(rapid.IntRange(2, 170), 1, 3).Draw(t, "lengths")
		}
		before := slices.Clone(x)
		a, err := Forecast(x, o)
		if err != nil {
			if errors.Is(err, ErrEmpty) && !slices.ContainsFunc(x, func(v float64) bool { return math.Abs(v) <= largest }) {
				return
			}
			t.Fatal(err)
		}
		sound(t, x, o.Horizon, a)
		if !slices.EqualFunc(x, before, func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }) {
			t.Fatal("the history was written to")
		}
	})
}

func TestTheUnitDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := wave(rapid.IntRange(30, 500).Draw(t, "length"), 24, 168)
		if rapid.Bool().Draw(t, "signed") {
			for i := range x {
				x[i] -= 150
			}
		}
		unit := rapid.Float64Range(1e-6, 1e6).Draw(t, "unit")
		o := Options{Horizon: 30, Seasons: []int{24, 168}}
		a, err := Forecast(x, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x {
			x[i] *= unit
		}
		b, err := Forecast(x, o)
		if err != nil {
			t.Fatal(err)
		}
		for j, q := range a.Quantiles {
			for i, v := range q {
				if math.Abs(b.Quantiles[j][i]-v*unit) > 1e-6*unit*(1+math.Abs(v)) {
					t.Fatalf("step %d: %v in another unit %v, want %v", j, i, b.Quantiles[j][i], v*unit)
				}
			}
		}
	})
}

func FuzzForecast(f *testing.F) {
	f.Add([]byte{}, uint8(1), uint8(0), uint8(0))
	f.Add(make([]byte, 80), uint8(10), uint8(2), uint8(4))
	f.Fuzz(func(t *testing.T, raw []byte, horizon, short, long uint8) {
		var x []float64
		for ; len(raw) >= 8; raw = raw[8:] {
			x = append(x, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
		}
		o := Options{Horizon: int(horizon), Seasons: []int{int(short), int(long)}}
		a, err := Forecast(x, o)
		switch {
		case err == nil:
			sound(t, x, o.Horizon, a)
		case errors.Is(err, ErrHorizon) != (horizon == 0):
			t.Fatalf("horizon %d: %v", horizon, err)
		}
	})
}
