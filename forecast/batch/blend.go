package batch

import "math"

const (
	// sharpness is the power by which a smaller error counts more, once enough
	// steps were scored; with fewer it is less.
	sharpness = 7.0
	halfSharp = 24.0 // scored steps at which the power is half of that
	// relative is the worth of a relative error beside a scaled one, the latter in
	// usual errors of the series.
	relative = 13.0
	// tiny is added to what a relative error is relative to, as a share of the
	// mean magnitude.
	tiny = 0.01
)

// blend is the weighted mean of the experts' paths.
type blend struct {
	weights []float64 // per trial, summing to 1
	losses  []float64 // per trial; empty without origins
	paths   [][]float64
}

// blend weighs the trials by their errors at the origins.
func (p *problem) blend(trials []trial, r recipe) blend {
	b := blend{weights: make([]float64, len(trials)), paths: p.rows()}
	scored := 0
	for _, end := range p.origins() {
		scored += p.known(end)
	}
	// 1. Weights.
	if scored > 0 {
		b.losses = make([]float64, len(trials))
		for i, t := range trials {
			b.losses[i] = p.loss(t.paths)
		}
	}
	power := sharpness * float64(scored) / (float64(scored) + halfSharp)
	switch {
	case r.hard:
		power = 1e3
	case r.flat:
		power = 0
	}
	best := math.Inf(1)
	for _, l := range b.losses {
		best = min(best, l)
	}
	total := 0.0
	for i := range b.weights {
		b.weights[i] = 1
		if scored > 0 && b.losses[i] > best {
			b.weights[i] = math.Pow(best/b.losses[i], power)
		}
		total += b.weights[i]
	}
	// 2. Paths.
	for i, t := range trials {
		b.weights[i] /= total
		for k, path := range t.paths {
			for j, v := range path {
				b.paths[k][j] += b.weights[i] * v
			}
		}
	}
	return b
}

// loss is the mean loss of forecasts over the origins, each of which counts the
// same. It is in usual errors of the series.
func (p *problem) loss(paths [][]float64) float64 {
	unit := p.unit
	if unit == 0 {
		unit = 1
	}
	least := 0.0
	for _, v := range p.x {
		least += tiny * abs(v) / float64(len(p.x))
	}
	total := 0.0
	for k, end := range p.origins() {
		sum := 0.0
		for j, f := range paths[k] {
			y := p.x[end+j]
			if y == f {
				continue
			}
			e := abs(y - f)
			sum += e/unit + relative*2*e/(abs(y)+abs(f)+least)
		}
		total += sum / float64(len(paths[k]))
	}
	return total / float64(len(p.ends)-1)
}
