package judge

import (
	"context"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
)

// oracle is a forecaster that knows. It learns nothing from what it observes.
type oracle struct {
	foresight
	truth *Truth
	model fleet.ModelName
	reach time.Duration // beyond which nothing is worth keeping capacity for
}

// oracles make what answers with the truth, for the settings of the clairvoyant.
func (f foresight) oracles(t *Truth, s control.Settings) map[fleet.ModelName]*oracle {
	lead := time.Duration(0)
	for _, name := range s.Policy.Offerings {
		if o, ok := s.Catalog.Offering(name); ok {
			lead = max(lead, o.Lead.P95())
		}
	}
	out := make(map[fleet.ModelName]*oracle, len(s.Policy.Models))
	for _, m := range s.Policy.Models {
		o := &oracle{foresight: f, truth: t, model: m.Name}
		for _, v := range m.Candidates() {
			for _, perf := range v.Slices {
				o.reach = max(o.reach, lead+perf.Load.P95+f.keep)
			}
		}
		if m.Kind == fleet.Async {
			o.reach = max(o.reach, m.SLO.Limit)
		}
		out[m.Name] = o
	}
	return out
}

// Observe takes note of nothing.
func (o *oracle) Observe(forecast.Observation) error { return nil }

// Forecast answers with the rate that will be, the same at every level.
func (o *oracle) Forecast(now time.Time, leads []time.Duration) forecast.Path {
	leads = slices.Compact(slices.Sorted(slices.Values(leads)))
	levels := len(forecast.Levels())
	path := forecast.Path{At: now, Basis: "what will come", Points: make([]forecast.Point, 0, len(leads))}
	room := make([]float64, levels*len(leads))
	for i, lead := range leads {
		point := forecast.Point{Lead: lead, Quantiles: room[i*levels : (i+1)*levels : (i+1)*levels]}
		if lead <= o.reach {
			until := lead
			if i+1 < len(leads) {
				until = leads[i+1] // a point stands for the time up to the next
			}
			point.Mean = o.rate(now.Add(lead), until-lead)
		}
		for j := range point.Quantiles {
			point.Quantiles[j] = point.Mean
		}
		path.Points = append(path.Points, point)
	}
	return path
}

// rate is what capacity is to be sized for from an instant on, averaged over a
// span or over the minutes around it where those are more.
func (o *oracle) rate(at time.Time, span time.Duration) float64 {
	n := int(o.smooth / time.Minute)
	return o.headroom * o.truth.mean(o.model, o.truth.minute(at)-(n-1)/2, max(n, int(span/time.Minute)))
}

// seer observes a world and puts the true rate of arrivals in the place of the
// count of one minute: who knows it is not misled by chance.
type seer struct {
	control.Observer
	oracles map[fleet.ModelName]*oracle
}

// Observe is what the world shows, with arrivals as they truly are.
func (s seer) Observe(ctx context.Context, now time.Time) (fleet.Snapshot, error) {
	snapshot, err := s.Observer.Observe(ctx, now)
	for i, m := range snapshot.Models {
		if o, ok := s.oracles[m.Model]; ok {
			snapshot.Models[i].Arrivals = fleet.Measured(o.rate(now, 0), 0, 1)
		}
	}
	return snapshot, err
}
