package batch

import (
	"math"
	"slices"
)

const (
	// growthShare is how much a curve that grows with the lead counts against the
	// errors seen at each lead. The curve is the growth-th power in mean squares.
	growthShare = 0.3
	growth      = 0.8
	// neighbours: the errors of a lead are taken together with those of the
	// horizon divided by this on either side.
	neighbours = 16
	// ownTail is how much the reach of the series' own errors counts against that
	// of the tails; reach is the 0.95 quantile of magnitudes in units of spread
	// for errors that follow the tails.
	ownTail = 0.4
	reach   = 2.0
	// fewOrigins widens the band where it rests on few origins.
	fewOrigins = 1.5
	// shortMemory divided by the length of history is the spread, in shares of the
	// largest value, below which none is believed.
	shortMemory = 0.5
)

// spreads returns the root mean square error by lead on a scale, and the factor
// by which the series' own tails reach farther than usual.
func (p *problem) spreads(b blend, s scale, r bandRecipe) (spread []float64, own float64) {
	errs := p.errors(b, s)
	spread = p.byLead(errs, s, r)
	widen(spread, float64(len(errs)), p.leastSpread(s))
	if r.noOwn {
		return spread, 1
	}
	return spread, ownReach(errs, spread)
}

// errors returns what the blend was off by on a scale: one row per origin.
func (p *problem) errors(b blend, s scale) [][]float64 {
	errs := make([][]float64, len(p.origins()))
	for k, end := range p.origins() {
		errs[k] = make([]float64, len(b.paths[k]))
		for j := range errs[k] {
			errs[k][j] = s.to(p.x[end+j]) - s.to(b.paths[k][j])
		}
	}
	return errs
}

// byLead returns the root mean square error at each lead: that of the errors
// near it, drawn to a curve which grows with the lead.
func (p *problem) byLead(errs [][]float64, s scale, r bandRecipe) []float64 {
	h := p.horizon
	sums, counts := make([]float64, h+1), make([]float64, h+1) // up to each lead
	curve := 0.0
	for _, row := range errs {
		for j, e := range row {
			sums[j+1] += e * e
			counts[j+1]++
			curve += e * e / grown(j)
		}
	}
	for j := range h {
		sums[j+1] += sums[j]
		counts[j+1] += counts[j]
	}
	if counts[h] > 0 {
		curve /= counts[h]
	} else {
		curve = p.untested(s)
	}
	share := growthShare
	if r.perLead {
		share = 0
	}
	spread := make([]float64, h)
	side := max(1, h/neighbours)
	for j := range spread {
		lo, hi := max(0, j-side), min(h, j+side+1)
		if r.oneWidth {
			lo, hi, share = 0, h, 0
		}
		v := curve * grown(j)
		if c := counts[hi] - counts[lo]; c > 0 {
			v = share*v + (1-share)*(sums[hi]-sums[lo])/c
		}
		spread[j] = math.Sqrt(v)
	}
	return spread
}

// widen makes spreads wider that rest on few origins, and holds them above the
// least.
func widen(spread []float64, origins, least float64) {
	wider := (1 + fewOrigins/max(1, origins)) / (1 + fewOrigins/manyOrigins)
	for j, v := range spread {
		spread[j] = max(least, wider*v)
	}
}

// ownReach returns the factor by which tails reach farther than usual.
func ownReach(errs [][]float64, spread []float64) float64 {
	var sizes []float64
	for _, row := range errs {
		for j, e := range row {
			if spread[j] > 0 {
				sizes = append(sizes, abs(e)/spread[j])
			}
		}
	}
	if len(sizes) == 0 {
		return 1
	}
	slices.Sort(sizes)
	n := float64(len(sizes))
	far := max(sizes[len(sizes)*95/100], reach/4)
	return math.Pow(far/reach, ownTail*n/(n+halfSharp))
}

// grown is the growth of the mean square error with the lead.
func grown(j int) float64 { return math.Pow(float64(j+1), growth) }

// untested is the mean square error assumed at the first step where no forecast
// could be tried: twice the usual step, squared.
func (p *problem) untested(s scale) float64 {
	sum := 0.0
	for i := 1; i < len(p.x); i++ {
		e := s.to(p.x[i]) - s.to(p.x[i-1])
		sum += e * e
	}
	return 4 * sum / float64(max(1, len(p.x)-1))
}

// leastSpread is the spread below which none is believed: a constant that was
// seen n times may change with the next step.
func (p *problem) leastSpread(s scale) float64 {
	share := shortMemory / float64(len(p.x))
	if s.ratio {
		return share
	}
	return share * max(abs(p.max), abs(p.min))
}
