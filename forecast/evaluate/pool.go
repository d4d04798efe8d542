package evaluate

import (
	"math"
	"slices"
)

// Pooled is one method at one lead over several series.
type Pooled struct {
	Lead   Length `json:"lead"`
	Method string `json:"method"`
	Series int    `json:"series"` // with a loss of its own and of the reference
	// Ratio is the geometric mean over the series of the pinball loss over that of the
	// reference; Worst the largest of them, of series WorstOf. A loss of zero counts as
	// a millionth of the mean demand.
	Ratio   *float64 `json:"ratio,omitempty"`
	Worst   *float64 `json:"worst,omitempty"`
	WorstOf string   `json:"worst_of,omitempty"`
	Ahead   *int     `json:"ahead,omitempty"` // series on which it loses less than the last value with fitted head-room
	Within  int      `json:"within"`          // series on which what was bought covers its level within 0.02
	Mean    Score    `json:"mean"`            // plain means of the figures of all series
	Over    *float64 `json:"cost_over_foresight,omitempty"`
}

// least stands for a loss of zero where losses are compared by ratio.
const least = 1e-6

// Pool sums up the results of several series: by lead, then by method, both in the
// order of the first result. Ratios are against the reference where it took part.
func Pool(results []Result, level float64) []Pooled {
	var out []Pooled
	at := map[Length]map[string]*pool{}
	var order []*pool
	for i := range results {
		for j := range results[i].Scores {
			s := &results[i].Scores[j]
			if at[s.Lead] == nil {
				at[s.Lead] = map[string]*pool{}
			}
			p := at[s.Lead][s.Method]
			if p == nil {
				p = &pool{Pooled: Pooled{Lead: s.Lead, Method: s.Method}, level: level}
				at[s.Lead][s.Method] = p
				order = append(order, p)
			}
			p.add(results[i].Series, s, results[i].find(s.Lead, Reference), results[i].find(s.Lead, headroomName))
		}
	}
	slices.SortStableFunc(order, func(a, b *pool) int { return int(min(max(a.Lead-b.Lead, -1), 1)) })
	for _, p := range order {
		out = append(out, p.finish())
	}
	return out
}

// find returns the score of a method at a lead, or nil.
func (r *Result) find(lead Length, method string) *Score {
	for i := range r.Scores {
		if r.Scores[i].Lead == lead && r.Scores[i].Method == method {
			return &r.Scores[i]
		}
	}
	return nil
}

// pool is a Pooled under way.
type pool struct {
	Pooled
	level           float64
	logs            float64
	means           []mean // of the optional figures
	over            mean
	coverage        [11]mean
	classes         [classed]mean
	misses, covered int
}

// mean of what is there.
type mean struct{ sum, n float64 }

func (m *mean) add(v *float64) {
	if v != nil {
		m.sum, m.n = m.sum+*v, m.n+1
	}
}

func (m *mean) value() *float64 { return ratio(m.sum, m.n) }

// figures are the optional figures of a score that are averaged.
func figures(s *Score) []**float64 {
	return []**float64{&s.Pinball, &s.WQL, &s.MASE, &s.SMAPE, &s.MSIS, &s.Covered, &s.NightOver}
}

func (p *pool) add(name string, s, reference, fitted *Score) {
	if s.Count == 0 {
		return
	}
	if s.Pinball != nil {
		p.compare(name, *s.Pinball, reference, fitted)
	}
	if s.Covered != nil && math.Abs(*s.Covered-p.level) <= 0.02 {
		p.Within++
	}
	fields := figures(s)
	if p.means == nil {
		p.means = make([]mean, len(fields))
	}
	for i, f := range fields {
		p.means[i].add(*f)
	}
	for i, c := range s.Coverage {
		p.coverage[i].add(&c)
	}
	for i, name := range Classes {
		if c, ok := s.Classes[name]; ok {
			p.classes[i].add(&c)
		}
	}
	p.over.add(ratio(s.Cost, s.Foresight))
	p.misses = max(p.misses, s.Misses)
	p.covered += s.Count
}

// compare counts a loss on a series against those of the rivals there.
func (p *pool) compare(name string, loss float64, reference, fitted *Score) {
	if reference != nil && reference.Pinball != nil {
		r := max(loss, least) / max(*reference.Pinball, least)
		p.Series++
		p.logs += math.Log(r)
		if p.Worst == nil || r > *p.Worst {
			p.Worst, p.WorstOf = &r, name
		}
	}
	if fitted != nil && fitted.Pinball != nil {
		if p.Ahead == nil {
			p.Ahead = new(int)
		}
		if loss < *fitted.Pinball {
			*p.Ahead++
		}
	}
}

func (p *pool) finish() Pooled {
	out := p.Pooled
	if p.Series > 0 {
		r := math.Exp(p.logs / float64(p.Series))
		out.Ratio = &r
	}
	out.Mean = Score{Lead: p.Lead, Method: p.Method, Count: p.covered, Misses: p.misses, Classes: map[string]float64{}}
	for i, f := range figures(&out.Mean) {
		if p.means != nil {
			*f = p.means[i].value()
		}
	}
	for i := range p.coverage {
		if v := p.coverage[i].value(); v != nil {
			out.Mean.Coverage = append(out.Mean.Coverage, *v)
		}
	}
	for i, name := range Classes {
		if v := p.classes[i].value(); v != nil {
			out.Mean.Classes[name] = *v
		}
	}
	out.Over = p.over.value()
	return out
}
