package batch

// trial is one expert: the forecasts that it made from each end, in the unit of
// the values.
type trial struct {
	name  string
	paths [][]float64 // one per end
}

// rule is an expert that sees the history up to an end, on some scale, and
// fills out with the next steps on the same scale.
type rule func(z, out []float64)

// experts lets every expert forecast from every end for which the oldest end
// leaves enough history.
func (p *problem) experts(r recipe) []trial {
	raw, ratio := p.x, p.scale.all(p.x)
	var trials []trial
	// add lets a rule speak that needs so many steps of history.
	add := func(name string, need int, s scale, z []float64, f rule) {
		if p.ends[0] >= need && r.takes(name) {
			trials = append(trials, p.each(name, s, z, f))
		}
	}
	m, w := p.short, p.long
	// 1. Without a season.
	add("last value", 1, scale{}, raw, lastValue)
	add("moving level", 2, scale{}, raw, movingLevel)
	if m == 0 {
		add("mean", 1, scale{}, raw, overallMean)
		add("damped trend", 4, scale{}, raw, dampedTrend)
	}
	// 2. One season.
	if m > 0 {
		add("anchored season", m+1, p.scale, ratio, anchored(m))
		add("profile of the short season", 2*m, p.scale, ratio, profile{short: m, window: max(w, m)}.forecast)
	}
	// 3. Two seasons.
	if w > 0 {
		add("profile of the long season", w+m, p.scale, ratio, profile{short: m, long: w, window: w}.forecast)
		add("double Holt-Winters", w, p.scale, ratio, doubleHoltWinters(m, w))
		add("mean of two long seasons", w, p.scale, ratio, meanOfTwo(w))
	}
	// 4. Regressions on the past.
	trials = append(trials, p.regressions(ratio, p.scale, r)...)
	return trials
}

// each runs a rule from every end.
func (p *problem) each(name string, s scale, z []float64, f rule) trial {
	t := trial{name: name, paths: p.rows()}
	for k, end := range p.ends {
		f(z[:end], t.paths[k])
		p.finish(s, t.paths[k])
	}
	return t
}

// rows makes room for one path per end: of the horizon from the whole history,
// and of the steps that have come true from an origin.
func (p *problem) rows() [][]float64 {
	total := p.horizon
	for _, end := range p.origins() {
		total += p.known(end)
	}
	room := make([]float64, total)
	rows := make([][]float64, len(p.ends))
	for k, end := range p.ends {
		steps := p.horizon
		if k < len(p.ends)-1 {
			steps = p.known(end)
		}
		rows[k], room = room[:steps:steps], room[steps:]
	}
	return rows
}

// finish brings a path back from its scale, and holds it within the range of
// the history widened by as much on either side.
func (p *problem) finish(s scale, path []float64) {
	lo, hi := p.bounds()
	for i, v := range path {
		v = s.back(v)
		if !(v >= lo) { // catches NaN, which no expert should make
			v = lo
		}
		path[i] = min(v, hi)
	}
}

// leastShare of the smallest value seen is the least forecast of what was never
// negative.
const leastShare = 0.25

// bounds returns what a point forecast may reach.
func (p *problem) bounds() (lo, hi float64) {
	width := p.max - p.min
	lo, hi = p.min-width, p.max+width
	if p.min >= 0 {
		// A ratio to nothing is none, so what was always positive stays so.
		lo = max(leastShare*p.min, lo)
	}
	return lo, hi
}
