package outlook

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
)

// Version is that of the request; a field that is added does not change it.
const Version = 1

// Request is what the server is asked.
type Request struct {
	Version     int       `json:"version"`
	Now         time.Time `json:"now"`         // of the loop, in UTC; in a simulated world not the clock's
	StepSeconds int       `json:"stepSeconds"` // of the values
	Levels      []float64 `json:"levels"`      // of the quantiles that are wanted, ascending
	Leads       []int64   `json:"leads"`       // seconds after now, ascending
	Series      []Series  `json:"series"`
}

// Series is what was seen of a model: mean rates in requests or sessions a second,
// one for each step, oldest first; null where nothing is known.
type Series struct {
	Model  fleet.ModelName `json:"model"`
	From   time.Time       `json:"from"` // start of the first bin
	Values []*float64      `json:"values"`
}

// Reply is what the server answers. A model that is not in it keeps the forecast that
// the loop made itself.
type Reply struct {
	Forecasts []Forecast `json:"forecasts"`
}

// Forecast is about one model: for each lead the quantiles at the levels, as rates,
// ascending and not negative. Mean may be left out; then it is the median.
type Forecast struct {
	Model     fleet.ModelName `json:"model"`
	Quantiles [][]float64     `json:"quantiles"`
	Mean      []float64       `json:"mean,omitempty"`
}

// BasisExternal is what a path says that it rests on when it came from outside.
const BasisExternal = "external"

// most is the largest rate that is believed to be one, in units per second.
const most = 1e15

// path checks a forecast and makes it one of the loop's.
func (f Forecast) path(now time.Time, leads []time.Duration) (forecast.Path, error) {
	levels := forecast.Levels()
	if len(f.Quantiles) != len(leads) {
		return forecast.Path{}, fmt.Errorf("quantiles for %d leads, %d were asked for", len(f.Quantiles), len(leads))
	}
	if len(f.Mean) != 0 && len(f.Mean) != len(leads) {
		return forecast.Path{}, fmt.Errorf("%d means, %d were asked for; they may be left out", len(f.Mean), len(leads))
	}
	p := forecast.Path{At: now, Basis: BasisExternal, Points: make([]forecast.Point, len(leads))}
	for i, lead := range leads {
		q := f.Quantiles[i]
		if len(q) != len(levels) {
			return forecast.Path{}, fmt.Errorf("%d quantiles at lead %s, %d were asked for", len(q), lead, len(levels))
		}
		for j, v := range q {
			if !(v >= 0 && v <= most) {
				return forecast.Path{}, fmt.Errorf("quantile %v at lead %s is %v, which is no rate", levels[j], lead, v)
			}
			if j > 0 && v < q[j-1] {
				return forecast.Path{}, fmt.Errorf("quantile %v at lead %s is %v, below %v at %v", levels[j], lead, v, q[j-1], levels[j-1])
			}
		}
		mean := q[len(q)/2]
		if len(f.Mean) > 0 {
			if mean = f.Mean[i]; !(mean >= 0 && mean <= most) {
				return forecast.Path{}, fmt.Errorf("mean at lead %s is %v, which is no rate", lead, mean)
			}
		}
		p.Points[i] = forecast.Point{Lead: lead, Mean: mean, Quantiles: q}
	}
	return p, nil
}
