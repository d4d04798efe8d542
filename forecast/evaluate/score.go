package evaluate

import "math"

// Score is how one method did at one lead. A figure that could not be computed is
// absent, never zero.
type Score struct {
	Lead   Length  `json:"lead"`
	Method string  `json:"method"`
	Count  int     `json:"count"` // scored targets
	Mean   float64 `json:"mean"`  // of the actual values
	// Pinball is the mean pinball loss of what was bought, over the mean of the actual
	// values: the money lost by not knowing, per unit of demand.
	Pinball *float64 `json:"pinball,omitempty"`
	// WQL is twice the mean pinball loss over all levels, over the mean: an
	// approximation of the relative CRPS.
	WQL   *float64 `json:"wql,omitempty"`
	MASE  *float64 `json:"mase,omitempty"`  // of the median, scaled by the seasonal naive error before scoring
	SMAPE *float64 `json:"smape,omitempty"` // of the median, 0 to 200
	MSIS  *float64 `json:"msis,omitempty"`  // of the 95 % interval, scaled as MASE
	// Covered is the share of targets at or below what was bought, Coverage that at each
	// of forecast.Levels, Classes that of Covered by class of hour, without empty ones.
	Covered  *float64           `json:"covered,omitempty"`
	Coverage []float64          `json:"coverage,omitempty"`
	Classes  map[string]float64 `json:"classes,omitempty"`
	Misses   int                `json:"longest_run_of_misses"` // consecutive targets above what was bought
	// NightOver is what was bought too much between 0 and 6 o'clock, over the demand of
	// these hours.
	NightOver *float64 `json:"night_over,omitempty"`
	Cost      float64  `json:"cost_usd"`      // of whole GPUs and of what was late
	Foresight float64  `json:"foresight_usd"` // the cost of who knew what would come
	Capacity  float64  `json:"gpu_capacity"`  // that the costs rest on
}

// share is a count of hits among tries.
type share struct{ hits, tries int }

func (s *share) add(hit bool) {
	s.tries++
	if hit {
		s.hits++
	}
}

func (s *share) value() *float64 { return ratio(float64(s.hits), float64(s.tries)) }

// tally adds up one method at one lead.
type tally struct {
	n                             int
	banded                        bool
	actuals, bought, levels, wide float64 // sums
	misses, symmetric             float64
	covered                       share
	coverage                      [11]int
	classes                       [classed]share
	run, longest                  int
	nightOver, nightActual        float64
	cost, foresight               float64
}

func (t *tally) add(actual float64, a *Answer, level float64, h hours, p *pricing) {
	t.n++
	t.actuals += actual
	t.bought += pinball(level, actual, a.Bought)
	t.misses += math.Abs(actual - a.Median())
	t.symmetric += symmetric(actual, a.Median())
	t.cover(actual, a, h)
	if h&night != 0 {
		t.nightOver += max(0, a.Bought-actual)
		t.nightActual += actual
	}
	t.cost += p.cost(actual, a.Bought, level)
	t.foresight += p.foresight(actual)
	if a.Quantiles == nil {
		return
	}
	t.banded = true
	for i, q := range a.Quantiles {
		t.levels += pinball(levels[i], actual, q)
		if actual <= q {
			t.coverage[i]++
		}
	}
	t.wide += interval(actual, a.Quantiles[lower], a.Quantiles[upper])
}

func (t *tally) cover(actual float64, a *Answer, h hours) {
	hit := actual <= a.Bought
	t.covered.add(hit)
	for c := range t.classes {
		if h&(1<<c) != 0 {
			t.classes[c].add(hit)
		}
	}
	if t.run++; hit {
		t.run = 0
	}
	t.longest = max(t.longest, t.run)
}

func (t *tally) score(scale float64, p *pricing) Score {
	n := float64(t.n)
	s := Score{
		Count: t.n, Covered: t.covered.value(), Misses: t.longest, NightOver: ratio(t.nightOver, t.nightActual),
		Cost: t.cost, Foresight: t.foresight, Capacity: p.capacity,
		Pinball: ratio(t.bought, t.actuals), MASE: ratio(t.misses, n*scale), SMAPE: ratio(t.symmetric, n),
		Classes: map[string]float64{},
	}
	for c, name := range Classes {
		if v := t.classes[c].value(); v != nil {
			s.Classes[name] = *v
		}
	}
	if t.n > 0 {
		s.Mean = t.actuals / n
	}
	if t.banded {
		s.WQL, s.MSIS = ratio(2*t.levels/float64(len(levels)), t.actuals), ratio(t.wide, n*scale)
		for _, c := range t.coverage {
			s.Coverage = append(s.Coverage, float64(c)/n)
		}
	}
	return s
}

// ratio is a/b, or nil where that is no number.
func ratio(a, b float64) *float64 {
	if v := a / b; b > 0 && !math.IsNaN(v) && !math.IsInf(v, 0) {
		return &v
	}
	return nil
}
