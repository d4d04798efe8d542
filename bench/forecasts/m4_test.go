package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// shape is the factor of an hour of the season; they have a mean of one.
func shape(i int) float64 { return 1 + 0.5*math.Sin(2*math.Pi*float64(i%m4Season)/m4Season) }

// A season on a level is found and continued exactly.
func TestNaive2ContinuesASeason(t *testing.T) {
	x := make([]float64, 300)
	for i := range x {
		x[i] = 80 * shape(i)
	}
	for h, p := range naive2(x) {
		if want := 80 * shape(len(x)+h); math.Abs(p.median-want) > 1e-9 {
			t.Fatalf("step %d: %g, want %g", h, p.median, want)
		}
	}
}

// Without a season it is the last value.
func TestNaive2WithoutASeasonIsTheLastValue(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, 400)
	for i := range x {
		x[i] = 100 + rng.NormFloat64()
	}
	flat := make([]float64, 400)
	for _, x := range [][]float64{x, flat, x[:30]} {
		for _, p := range naive2(x) {
			if p.median != x[len(x)-1] {
				t.Fatalf("%g, want %g", p.median, x[len(x)-1])
			}
		}
	}
}

func TestSeasonalNaiveHasTheBandOfItsErrors(t *testing.T) {
	x := make([]float64, 5*m4Season)
	for i := range x {
		x[i] = float64(10*(i/m4Season) + i%m4Season) // every day is 10 above the last
	}
	for h, p := range seasonalNaive(x) {
		want := float64(40 + h%m4Season)
		half := 1.96 * 10 * math.Sqrt(float64(1+h/m4Season))
		if p.median != want || math.Abs(p.high-want-half) > 1e-9 || math.Abs(want-p.low-half) > 1e-9 {
			t.Fatalf("step %d: %+v, want %g within %g", h, p, want, half)
		}
	}
}

// Two points of one series, by hand.
func TestScoresOfTheCompetition(t *testing.T) {
	history := make([]float64, 2*m4Season)
	for i := range history {
		history[i] = float64(4 * (i / m4Season)) // the scale is 4
	}
	var s m4Scores
	s.add(history, []float64{10, 0}, []m4Point{{6, 5, 9}, {0, -2, 2}}, 1)
	for name, tt := range map[string]struct{ got, want float64 }{
		"sMAPE": {s.smape, 200 * 4. / 16 / 2}, "MASE": {s.mase, 4. / 4 / 2},
		"MSIS": {s.msis, (4 + 40*1 + 4) / 4. / 2}, "coverage": {s.coverage, 0.5},
	} {
		if math.Abs(tt.got-tt.want) > 1e-12 {
			t.Errorf("%s is %g, want %g", name, tt.got, tt.want)
		}
	}
}

// The recordings become series of the lengths that their publishers give. Seasonal
// naive on the points that were held back is known, so that the split is.
func TestRecordingsBecomeSeries(t *testing.T) {
	data := os.Getenv("TESSERA_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(data, "m4_hourly")); err != nil {
		t.Skipf("recorded data is absent: set TESSERA_DATA to its folder (%v)", err)
	}
	if testing.Short() {
		t.Skip("it reads all recordings")
	}
	work := t.TempDir()
	if err := convert(data, work); err != nil {
		t.Fatal(err)
	}
	actual, err := readHourly(filepath.Join(work, "m4-actual.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(actual) != 414 || len(actual["H1"]) != m4Horizon {
		t.Errorf("%d series of M4, %d points of H1", len(actual), len(actual["H1"]))
	}
	history, err := readHourly(filepath.Join(work, "m4-history.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	var s m4Scores
	for name, h := range history {
		s.add(h, actual[name], seasonalNaive(h), float64(len(history)))
	}
	if math.Abs(s.smape-14.57) > 0.01 || math.Abs(s.mase-1.228) > 0.001 {
		t.Errorf("seasonal naive has sMAPE %.3f and MASE %.3f", s.smape, s.mase)
	}
}
