package report

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// check refuses what must not reach a drawing or a sentence.
func check(s Summary) error {
	r := s.Result
	if s.Duration <= 0 {
		return fmt.Errorf("the duration is %v, must be positive", s.Duration)
	}
	errs := []error{
		amount("gpu_hours", r.GPUHours), amount("idle_gpu_hours", r.IdleGPUHours), share("attainment", r.Attainment),
		checkTimeline(s),
	}
	for _, name := range slices.Sorted(maps.Keys(r.ByModel)) {
		m := r.ByModel[name]
		errs = append(errs, share("attainment of "+name, m.Attainment))
		for _, p := range []*float64{m.P50, m.P95, m.P99} {
			if p != nil {
				errs = append(errs, amount("a latency of "+name, *p))
			}
		}
	}
	for _, part := range []struct {
		field string
		cost  map[string]float64
	}{{"cost_by_group", r.CostByGroup}, {"cost_by_model", r.CostByModel}, {"cost_by_language", r.CostByLanguage}} {
		for _, name := range slices.Sorted(maps.Keys(part.cost)) {
			errs = append(errs, amount(part.field+" of "+name, part.cost[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.UnitCostByModel)) {
		if each := r.UnitCostByModel[name].PerThousand; each != nil {
			errs = append(errs, amount("the unit cost of "+name, *each))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.TrafficScale)) {
		errs = append(errs, amount("traffic_scale of "+name, r.TrafficScale[name]))
	}
	for _, m := range s.Settings.Policy.Models {
		errs = append(errs, share("the target of "+string(m.Name), &m.SLO.Target))
	}
	return errors.Join(errs...)
}

// checkTimeline wants samples of one currency, in order and inside the run.
func checkTimeline(s Summary) error {
	end := s.Start.Add(s.Duration)
	var last time.Time
	for i, sample := range s.Result.Timeline {
		switch {
		case sample.At.Before(s.Start) || sample.At.After(end):
			return fmt.Errorf("timeline[%d] is at %s, outside of the run", i, sample.At.UTC().Format(time.RFC3339))
		case i > 0 && !sample.At.After(last):
			return fmt.Errorf("timeline[%d] is not later than the one before it", i)
		case min(sample.GPUs, sample.Starting, sample.GPUs-sample.Starting) < 0:
			return fmt.Errorf("timeline[%d] has %d GPUs of which %d are starting", i, sample.GPUs, sample.Starting)
		case currencyOf(sample.Rate) != s.Result.Cost.Currency() && !sample.Rate.Hourly().IsZero():
			return fmt.Errorf("timeline[%d] spends %s, but the run cost %s", i, sample.Rate, s.Result.Cost)
		}
		if err := cmp.Or(amount("arrivals", sample.Arrivals), amount("rate", sample.Rate.Hourly().Float())); err != nil {
			return fmt.Errorf("timeline[%d]: %w", i, err)
		}
		last = sample.At
	}
	return nil
}

func currencyOf(r fleet.Rate) fleet.Currency { return r.Hourly().Currency() }

// amount refuses what is not a finite number of zero or more.
func amount(name string, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return fmt.Errorf("%s is %g, must be a finite number of zero or more", name, v)
	}
	return nil
}

// share refuses what is known and not between 0 and 1.
func share(name string, v *float64) error {
	if v != nil && !(*v >= 0 && *v <= 1) {
		return fmt.Errorf("%s is %g, must be between 0 and 1", name, *v)
	}
	return nil
}
