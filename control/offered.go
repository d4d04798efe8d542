package control

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
)

// offered forecasts the load that sessions offer, as the rate of sessions that would offer
// it if it lasted: their mean rate, in which each counts for the less the longer it is ago,
// as it is the less likely to run still. The streams that are taken follow that, and not
// the count of a minute, which is mostly chance where few sessions begin.
type offered struct {
	forecast.Forecaster // of the load
	mean                time.Duration
	load                decayed
}

// decayed is a mean in which what is longer ago counts less. The zero value holds nothing.
type decayed struct {
	sum, weight float64
	newest      time.Time // bin that counts
}

// foreseenThrough wraps what foresees a model's arrivals into what the loop teaches and
// asks: the load of sessions, and requests as they are.
func foreseenThrough(own forecast.Forecaster, m fleet.Model) forecast.Forecaster {
	if !m.Profile.Sessions() {
		return own
	}
	return &offered{Forecaster: own, mean: meanDuration(m)}
}

// Observe takes the next bin of arrivals. What is no rate stays none, and a bin that is set
// aside counts for nothing.
func (f *offered) Observe(o forecast.Observation) error {
	if !o.Known || !(o.Value >= 0) || math.IsInf(o.Value, 1) {
		return f.Forecaster.Observe(o)
	}
	next := f.load.add(o, f.mean)
	o.Value = next.sum / next.weight
	if err := f.Forecaster.Observe(o); err != nil {
		return err
	}
	f.load = next
	return nil
}

// add takes a bin into the mean. What came before fades over the time since then, whether
// it was seen or not.
func (d decayed) add(o forecast.Observation, mean time.Duration) decayed {
	fade := math.Exp(-float64(max(0, o.At.Sub(d.newest))) / float64(mean))
	weight := -math.Expm1(-float64(bin) / float64(mean))
	return decayed{sum: d.sum*fade + o.Value*weight, weight: d.weight*fade + weight, newest: o.At}
}
