package joint

import "math"

// moments sums the products of scores of pairs of series, recent ones counting more.
// It keeps the lower triangle, the diagonal included.
type moments struct {
	series          int
	product, weight []float64 // row by row
}

// learn takes one score for each series, NaN where it is unknown. The weight of an
// error is shared among the nodes of a path, whose errors are much the same.
func (m *moments) learn(scores []float64) {
	fade := math.Pow(keep, 1.0/float64(len(nodes)))
	for i, a := range scores {
		row := i * m.series
		for j, b := range scores[:i+1] {
			m.product[row+j] *= fade
			m.weight[row+j] *= fade
			if !math.IsNaN(a) && !math.IsNaN(b) {
				m.product[row+j] += a * b
				m.weight[row+j]++
			}
		}
	}
}

// correlation returns what was learnt of a pair, drawn to what was assumed.
func (m *moments) correlation(i, j int, assumed float64) float64 {
	if i < j {
		i, j = j, i
	}
	at := i*m.series + j
	size := math.Sqrt(m.variance(i) * m.variance(j))
	n := m.weight[at]
	if n == 0 || size == 0 {
		return assumed
	}
	seen := clip(m.product[at]/m.weight[at]/size, mostly)
	return (seen*n + assumed*matrixPrior) / (n + matrixPrior)
}

// variance returns the mean square of a series' scores: about 1 where its quantiles
// are right.
func (m *moments) variance(i int) float64 {
	at := i*m.series + i
	if m.weight[at] == 0 {
		return 0
	}
	return m.product[at] / m.weight[at]
}

// pair sums what is needed for one correlation: that of the scores at two successive
// nodes, over all series.
type pair struct{ product, before, after, weight float64 }

func (p *pair) learn(before, after []float64) {
	known := 0.0
	var product, b2, a2 float64
	for i, b := range before {
		a := after[i]
		if math.IsNaN(a) || math.IsNaN(b) {
			continue
		}
		product += a * b
		b2 += b * b
		a2 += a * a
		known++
	}
	if known == 0 {
		return
	}
	p.product = p.product*keep + product/known
	p.before = p.before*keep + b2/known
	p.after = p.after*keep + a2/known
	p.weight = p.weight*keep + 1
}

// correlation returns what was learnt, drawn to what was assumed.
func (p *pair) correlation(assumed float64) float64 {
	size := math.Sqrt(p.before * p.after)
	if size == 0 {
		return assumed
	}
	seen := clip(p.product/size, mostly)
	return max(0, (seen*p.weight+assumed*chainPrior)/(p.weight+chainPrior))
}

func clip(v, limit float64) float64 { return min(max(v, -limit), limit) }
