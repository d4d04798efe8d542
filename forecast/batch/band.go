package batch

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// tails are the quantiles of errors in units of the spread, at
// forecast.Levels. They were measured on half of the hourly series of the M4
// competition, on logarithms and on plain values, and widened by a twentieth:
// the errors of the past are those of a blend that was chosen on them.
var tails = map[bool][]float64{
	true:  {-2.35, -1.85, -1.35, -0.65, 0, 0.57, 1.18, 1.6, 2.07, 2.6, 3.1},
	false: {-2.3, -1.8, -1.3, -0.6, 0, 0.6, 1.3, 1.8, 2.3, 2.9, 3.4},
}

// bandRecipe says what of the band stays out, for ablations.
type bandRecipe struct {
	plain    bool // on the scale of the values always
	perLead  bool // no growth curve
	noOwn    bool // tails of the series itself do not count
	oneWidth bool // the same width at every lead
}

// bands puts quantiles around the last path of the blend.
func (p *problem) bands(b blend, r bandRecipe) Answer {
	point := b.paths[len(b.paths)-1]
	s := p.scale
	if r.plain {
		s = scale{}
	}
	spread, own := p.spreads(b, s, r)
	z := tails[s.ratio]
	n := len(forecast.Levels())
	a := Answer{Mean: slices.Clone(point), Quantiles: make([][]float64, p.horizon)}
	room := make([]float64, p.horizon*n)
	for j, f := range point {
		q := room[j*n : (j+1)*n : (j+1)*n]
		at := s.to(f)
		for i := range q {
			q[i] = f
			if z[i] != 0 { // the point itself, untouched by a scale and back
				q[i] = p.believed(s.back(at + z[i]*own*spread[j]))
			}
		}
		// Whatever was rounded or held back, quantiles ascend around the point.
		for i := range q {
			if z[i] < 0 {
				q[i] = min(q[i], f)
			}
			if i > 0 {
				q[i] = max(q[i], q[i-1])
			}
		}
		a.Quantiles[j] = q
	}
	return a
}

// believed holds a quantile where the history allows it.
func (p *problem) believed(v float64) float64 {
	const farther = 100 // ranges of the history
	width := farther * max(p.max-p.min, abs(p.max), abs(p.min))
	v = min(max(v, p.min-width), p.max+width)
	if p.min >= 0 {
		v = max(0, v)
	}
	return v
}
