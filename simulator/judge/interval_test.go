package judge_test

import (
	"math"
	"testing"

	"github.com/tessera-autoscaler/tessera/simulator/judge"
)

// TestIntervalsAreThoseOfStudent: halves against values worked out from the tables
// of Student's t, which has 12.7062 for two runs, 4.3027 for three and 2.7764 for
// five.
func TestIntervalsAreThoseOfStudent(t *testing.T) {
	for _, tt := range []struct {
		values     []float64
		mean, half float64
	}{
		{[]float64{1, 3}, 2, 12.7062 * math.Sqrt(2) / math.Sqrt(2)},
		{[]float64{2, 4, 6}, 4, 4.3027 * 2 / math.Sqrt(3)},
		{[]float64{10, 12, 14, 16, 18}, 14, 2.7764 * math.Sqrt(10) / math.Sqrt(5)},
		{[]float64{7, 7, 7}, 7, 0},
	} {
		e := judge.EstimateOf(tt.values)
		if e.N != len(tt.values) || math.Abs(e.Mean-tt.mean) > 1e-12 || math.Abs(*e.Half-tt.half) > 1e-3*math.Max(1, tt.half) {
			t.Errorf("%v: %v ± %v, want %v ± %v", tt.values, e.Mean, *e.Half, tt.mean, tt.half)
		}
	}
	if e := judge.EstimateOf([]float64{5}); e.Mean != 5 || e.Half != nil {
		t.Errorf("one run gives %v ± %v: nothing is known of how runs differ", e.Mean, e.Half)
	}
	if e := judge.EstimateOf(nil); e != nil {
		t.Errorf("no run gives %v", e)
	}
}
