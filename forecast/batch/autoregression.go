package batch

import (
	"math"
	"slices"
)

const (
	// rowsPerCoefficient is how many rows the oldest end must have for a model.
	rowsPerCoefficient = 2
	// outlying residuals, in mean absolute residuals, weigh less in proportion.
	outlying = 2
	// mostShort is how many short seasons of a long one a model has lags for.
	mostShort = 12
	// overshoot is how far beyond the range of the history a step may go.
	overshoot = 0.5
)

// regressions lets the autoregressions forecast. Models over the same scale
// share their sums, which grow from one end to the next.
func (p *problem) regressions(ratio []float64, s scale, r recipe) []trial {
	trials := p.regress(ratio, s, p.models(""), r)
	if s.ratio && p.short > 0 {
		trials = append(trials, p.regress(p.x, scale{}, p.models(" on values")[:1], r)...)
	}
	return trials
}

// kind is a model before its lags are known: which lags it takes.
type kind struct {
	name   string
	lags   []int // in steps
	placed bool
}

// models returns the kinds that fit the seasons.
func (p *problem) models(suffix string) []kind {
	m, w := p.short, p.long
	if m == 0 {
		return []kind{{"autoregression" + suffix, []int{1, 2, 3}, false}}
	}
	daily := []int{1, 2, m - 1, m, m + 1, 2*m - 1, 2 * m, 2*m + 1}
	kinds := []kind{{"autoregression over short seasons" + suffix, daily, true}}
	if w == 0 {
		return kinds
	}
	// The lags of a product of three autoregressions: of the step, day and week.
	weekly := []int{1, 2, m - 1, m, m + 1, w - 1, w, w + 1, w + m - 1, w + m, w + m + 1}
	kinds = append(kinds, kind{"autoregression over both seasons" + suffix, weekly, true})
	if w/m > mostShort {
		return kinds
	}
	all := slices.Clone(daily)
	for d := 3 * m; d < w-1; d += m {
		all = append(all, d-1, d, d+1)
	}
	all = append(all, w-1, w, w+1)
	return append(kinds, kind{"autoregression over every short season of a long one" + suffix, all, true})
}

// regress fits kinds at every end and forecasts from there.
func (p *problem) regress(z []float64, s scale, kinds []kind, r recipe) []trial {
	// 1. The models that take part and have rows enough.
	oldest := p.ends[0]
	kinds, lags := enough(slices.DeleteFunc(kinds, func(k kind) bool { return !r.takes(k.name) }), oldest)
	if len(kinds) == 0 {
		return nil
	}
	d := newDesign(lags, p.short)
	trials := make([]trial, len(kinds))
	models := make([]model, len(kinds))
	for i, k := range kinds {
		trials[i] = trial{name: k.name, paths: p.rows()}
		models[i] = model{placed: k.placed}
		for _, l := range k.lags {
			at, _ := slices.BinarySearch(lags, l)
			models[i].lags = append(models[i].lags, at)
		}
	}
	// 2. Standard values, by what was known at the oldest end.
	centre, spread := moments(z[:oldest])
	u := make([]float64, len(z), len(z)+p.horizon)
	for i, v := range z {
		u[i] = (v - centre) / spread
	}
	// 3. A first fit at the oldest end tells which rows are outlying.
	var sol solver
	weights := p.weights(d, models[len(models)-1], &sol, u, oldest)
	// 4. From end to end.
	buffer := make([]float64, d.longest()+p.horizon)
	from := d.longest()
	for e, end := range p.ends {
		for t := from; t < end; t++ {
			d.add(u, t, weights[t])
		}
		from = end
		lo, hi := slices.Min(u[:end]), slices.Max(u[:end])
		lo, hi = lo-overshoot*(hi-lo), hi+overshoot*(hi-lo)
		for i, m := range models {
			path := trials[i].paths[e]
			w, ok := d.solve(m, &sol)
			if !ok {
				lastValue(z[:end], path)
				p.finish(s, path)
				continue
			}
			past := d.longest()
			copy(buffer, u[end-past:end])
			for j := range path {
				// Places count from the start of the history, lags from here.
				v := d.iterate(m, w, buffer, past+j, end+j)
				v = math.Min(math.Max(v, lo), hi)
				buffer[past+j] = v
				path[j] = v*spread + centre
			}
			p.finish(s, path)
		}
	}
	return trials
}

// enough keeps the kinds that have rows enough in so many steps, and returns
// all lags of those. All have the same rows, after the longest lag of any; while
// they are too few for one, those of the longest lag go.
func enough(kinds []kind, steps int) ([]kind, []int) {
	for i, k := range kinds {
		kinds[i].lags = distinct(k.lags)
	}
	for len(kinds) > 0 {
		var lags []int
		for _, k := range kinds {
			lags = append(lags, k.lags...)
		}
		lags = distinct(lags)
		longest := lags[len(lags)-1]
		if !slices.ContainsFunc(kinds, func(k kind) bool {
			return steps-longest < rowsPerCoefficient*len(k.lags)+blocks/2
		}) {
			return kinds, lags
		}
		kinds = slices.DeleteFunc(kinds, func(k kind) bool { return k.lags[len(k.lags)-1] == longest })
	}
	return nil, nil
}

// weights returns the weight of each row: less than 1 where the residual of a
// first fit is far beyond the usual one.
func (p *problem) weights(d *design, m model, sol *solver, u []float64, oldest int) []float64 {
	weights := make([]float64, len(u))
	for t := range weights {
		weights[t] = 1
	}
	first := d.longest()
	for t := first; t < oldest; t++ {
		d.add(u, t, 1)
	}
	w, ok := d.solve(m, sol)
	d.reset()
	if !ok {
		return weights
	}
	usual := 0.0
	for t := first; t < len(u); t++ {
		weights[t] = abs(u[t] - d.iterate(m, w, u, t, t))
		if t < oldest {
			usual += weights[t] / float64(oldest-first)
		}
	}
	if usual == 0 {
		usual = 1
	}
	for t := first; t < len(u); t++ {
		weights[t] = min(1, outlying*usual/max(weights[t], math.SmallestNonzeroFloat64))
	}
	return weights
}

// distinct sorts lags and drops those that are none or occur twice.
func distinct(lags []int) []int {
	out := slices.Clone(lags)
	slices.Sort(out)
	out = slices.Compact(out)
	for len(out) > 0 && out[0] < 1 {
		out = out[1:]
	}
	return out
}

// moments returns the mean and the standard deviation, 1 where that is 0.
func moments(z []float64) (centre, spread float64) {
	centre = mean(z)
	for _, v := range z {
		spread += (v - centre) * (v - centre)
	}
	spread = math.Sqrt(spread / float64(len(z)))
	if spread == 0 {
		spread = 1
	}
	return centre, spread
}
