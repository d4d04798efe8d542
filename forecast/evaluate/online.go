package evaluate

import (
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// Ours enters Tessera's forecaster, made afresh for each series.
func Ours(fresh func(step time.Duration, zone *time.Location) forecast.Forecaster) Entrant {
	return Entrant{Tessera, func(s Setting) Method {
		o := &online{forecaster: fresh(s.Step, s.Zone), setting: s}
		for _, k := range s.Ahead {
			// Now is the end of the newest bin, so the bin k after it is covered k-1 steps later.
			o.leads = append(o.leads, time.Duration(k-1)*s.Step)
		}
		o.sorted = slices.Compact(slices.Sorted(slices.Values(o.leads)))
		return o
	}}
}

// online adapts a forecaster of package forecast.
type online struct {
	forecaster    forecast.Forecaster
	setting       Setting
	leads, sorted []time.Duration
	now           time.Time
	path          forecast.Path
	fresh         bool // path was made after the newest bin
}

func (o *online) Observe(at time.Time, value float64) {
	// Bins come in order, and what is no rate was refused when the series was read:
	// all that is left to complain of is taken as a gap.
	_ = o.forecaster.Observe(forecast.Observation{At: at, Value: value, Known: !math.IsNaN(value)})
	o.now, o.fresh = at.Add(o.setting.Step), false
}

func (o *online) Forecast(i int) Answer {
	if !o.fresh {
		o.path, o.fresh = o.forecaster.Forecast(o.now, o.sorted), true
	}
	j, ok := slices.BinarySearchFunc(o.path.Points, o.leads[i], func(p forecast.Point, l time.Duration) int {
		return int(min(max(p.Lead-l, -1), 1))
	})
	if !ok {
		return point(math.NaN()) // a forecaster that leaves out a lead loses, visibly
	}
	p := o.path.Points[j]
	return Answer{Mean: p.Mean, Bought: o.path.Quantile(o.setting.Level, p.Lead), Quantiles: p.Quantiles}
}
