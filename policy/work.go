package policy

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// work is the law of the work of a batch relative to its average: gamma with mean
// one, or exactly one where work does not vary. A batch of b requests takes as
// long as their work together, so that its squared variation is that of one
// request over b. One request with a coefficient of variation of one is
// exponential.
type work struct {
	cv2   float64   // squared coefficient of variation of one request
	edges []float64 // ascending quantiles that bound the cells, for one request
	mass  []float64 // probability of each cell, one less than edges
	score []float64 // standard normal quantiles of the edges
}

// steady is the squared variation below which work counts as constant.
const steady = 1e-6

// tailCells are the probabilities of exceeding the cells' edges: even steps in
// the bulk, then a fixed factor, so that a target of 99.999 % is still resolved.
func tailCells() []float64 {
	var tails []float64
	for p := 1.0; p > 0.1001; p -= 0.1 {
		tails = append(tails, p)
	}
	for p := 0.1; p > 1e-7; p *= math.Pow(10, -0.25) {
		tails = append(tails, p)
	}
	return tails
}

// newWork tabulates the law for a coefficient of variation.
func newWork(cv float64) *work {
	w := &work{cv2: cv * cv}
	if w.cv2 < steady {
		w.cv2 = 0
		return w
	}
	shape := 1 / w.cv2
	tails := tailCells()
	for i, p := range tails {
		w.edges = append(w.edges, mathext.GammaIncRegCompInv(shape, p)/shape)
		w.score = append(w.score, -mathext.NormalQuantile(p))
		if i > 0 {
			w.mass = append(w.mass, tails[i-1]-p)
		}
	}
	return w
}

// exceeds is the probability that the work of a batch of b is above x times its
// average.
func (w *work) exceeds(x, b float64) float64 {
	switch {
	case x <= 0:
		return 1
	case w.cv2 == 0 && x < 1:
		return 1
	case w.cv2 == 0:
		return 0
	}
	return mathext.GammaIncRegComp(b/w.cv2, x*b/w.cv2)
}

// edge is the quantile i of the work of a batch of b: exact for one request, by
// the cube-root approximation of Wilson and Hilferty for more.
func (w *work) edge(i int, b float64) float64 {
	if b == 1 || i == 0 {
		return w.edges[i]
	}
	spread := w.cv2 / (9 * b)
	root := math.Max(0, 1-spread+w.score[i]*math.Sqrt(spread))
	return root * root * root
}

// late is the probability that a wait and the service of the request's own batch
// of b, with the given mean time, together take longer than the limit. A wait
// that alone takes longer than t has the probability waits(t).
func (w *work) late(limit, mean, b float64, waits func(t float64) float64) float64 {
	if w.cv2 == 0 {
		if mean > limit {
			return 1
		}
		return waits(limit - mean)
	}
	alone := w.exceeds(limit/mean, b)
	total, below, low := alone, 0.0, w.edge(0, b)*mean
	for i, mass := range w.mass {
		high := w.edge(i+1, b) * mean
		if low >= limit {
			break
		}
		if high > limit { // the part of the cell above the limit is counted already
			high = limit
			mass = math.Max(0, 1-alone-below)
		}
		total += mass * waits(limit-(low+high)/2)
		below += mass
		low = high
	}
	return math.Min(1, total)
}
