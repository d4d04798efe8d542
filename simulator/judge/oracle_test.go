package judge

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestTheOracleAnswersWithWhatComes: each point is the mean of the minutes for which
// it stands, times the headroom, and nothing is known beyond its reach or the end.
func TestTheOracleAnswersWithWhatComes(t *testing.T) {
	start := time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	work := make([]float64, 120)
	for i := range work {
		work[i] = float64(60 * i) // i requests a second in minute i
	}
	truth := &Truth{start: start, work: map[fleet.ModelName][]float64{"m": work}}
	o := &oracle{foresight: foresight{headroom: 2, smooth: time.Minute}, truth: truth, model: "m", reach: time.Hour}
	minutes := func(list ...int) (out []time.Duration) {
		for _, m := range list {
			out = append(out, time.Duration(m)*time.Minute)
		}
		return out
	}
	path := o.Forecast(start.Add(10*time.Minute+30*time.Second), minutes(1, 0, 5, 9, 60, 61))
	for i, want := range []float64{2 * 10, 2 * (11 + 12 + 13 + 14) / 4, 2 * (15 + 16 + 17 + 18) / 4, 2 * (19 + 69) / 2, 2 * 70, 0} {
		point := path.Points[i]
		if point.Mean != want || point.Quantiles[0] != want || point.Quantiles[len(point.Quantiles)-1] != want {
			t.Errorf("in %v: %v, want %v", point.Lead, point.Mean, want)
		}
	}
	o.smooth = 3 * time.Minute
	if got := o.rate(start, 0); got != 2*(0+0+1)/3.0 {
		t.Errorf("around the first minute: %v", got)
	}
	o.reach = 3 * time.Hour
	if got := o.Forecast(start, minutes(119, 130)).Points[1].Mean; got != 0 {
		t.Errorf("after the end: %v", got)
	}
	if known := truth.Known()["m"]; known.Peak != 119 || known.Mean != 59.5 {
		t.Errorf("a static peer is told %+v", known)
	}
}
