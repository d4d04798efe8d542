package forecast

// maxInputs bounds how many inputs a regression weighs.
const maxInputs = 16

// regression is a discounted ridge regression without intercept, kept as its
// normal equations: constant memory, constant time, and never an inverse that
// can blow up, because the ridge pulls towards a prior (Hoerl and Kennard 1970;
// discounting as in recursive least squares with forgetting).
type regression struct {
	xx      []float32 // lower triangle, row by row
	xy      []float32
	prior   []float32
	weights []float32 // as last solved
}

func newRegression(prior []float64) regression {
	n := len(prior)
	room := make([]float32, n*(n+1)/2+3*n) // one block: thousands of series hold dozens of these
	r := regression{xx: room[:n*(n+1)/2], xy: room[n*(n+1)/2:][:n], prior: room[n*(n+1)/2+n:][:n], weights: room[n*(n+1)/2+2*n:]}
	for i, w := range prior {
		r.prior[i], r.weights[i] = float32(w), float32(w)
	}
	return r
}

// learn adds one pair, after fading the older ones by keep.
func (r *regression) learn(x []float32, y, keep float32) {
	xx := r.xx
	for i, xi := range x[:len(r.xy)] {
		row := xx[:i+1]
		for j := range row {
			row[j] = row[j]*keep + xi*x[j]
		}
		xx = xx[i+1:]
		r.xy[i] = r.xy[i]*keep + xi*y
	}
}

// answer is the weighted sum of the inputs.
func (r *regression) answer(x []float64) float64 {
	sum := 0.0
	for i, w := range r.weights {
		sum += float64(w) * x[i]
	}
	return sum
}

// solve sets the weights: the prior, moved by what was learnt, as if the prior
// had been seen in ridge pairs of unit size.
func (r *regression) solve(ridge float64) {
	var l [maxInputs][maxInputs]float64
	var d, inverse [maxInputs]float64
	n := len(r.xy)
	// 1. Right-hand side: what the prior leaves unexplained.
	xx := r.xx
	for i := range n {
		d[i] += float64(r.xy[i])
		for j := range i + 1 {
			v := float64(xx[j])
			l[i][j] = v
			d[i] -= v * float64(r.prior[j])
			if j < i {
				d[j] -= v * float64(r.prior[i])
			}
		}
		xx = xx[i+1:]
	}
	// 2. LDL' factors of xx + ridge I, which is positive definite; forward on the
	// way. A row holds its entries times their pivots until its own turn comes.
	for j := range n {
		pivot := l[j][j] + ridge
		for k := range j {
			scaled := l[j][k]
			l[j][k] = scaled * inverse[k]
			pivot -= scaled * l[j][k]
			d[j] -= l[j][k] * d[k]
		}
		inverse[j] = 1 / max(pivot, ridge) // rounding may not undercut the ridge
		for i := j + 1; i < n; i++ {
			for k := range j {
				l[i][j] -= l[i][k] * l[j][k]
			}
		}
	}
	// 3. Back.
	for j := range n {
		d[j] *= inverse[j]
	}
	for j := n - 1; j >= 0; j-- {
		for i := j + 1; i < n; i++ {
			d[j] -= l[i][j] * d[i]
		}
		r.weights[j] = r.prior[j] + float32(d[j])
	}
}
